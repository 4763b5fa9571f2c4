/** What the coordinates alone say about a place. */
export interface Place {
  /** Zone and band of the Universal Transverse Mercator grid. */
  utm: string;
  /** About 150 m by 150 m. */
  geohash: string;
  /** How far mean solar time is ahead of UTC, in minutes. */
  solarOffset: number;
}

export function placeAt(lat: number, lng: number): Place {
  return { utm: utmZone(lat, lng), geohash: geohash(lat, lng, 7), solarOffset: Math.round(lng * 4) };
}

function utmZone(lat: number, lng: number): string {
  // The poles have grids of their own.
  if (lat < -80) return lng < 0 ? 'A' : 'B';
  if (lat > 84) return lng < 0 ? 'Y' : 'Z';
  const band = 'CDEFGHJKLMNPQRSTUVWX'.charAt(Math.min(Math.floor((lat + 80) / 8), 19));
  return `${String(exceptionalZone(band, lng) ?? Math.min(Math.floor((lng + 180) / 6) + 1, 60))}${band}`;
}

/** South-west Norway and Svalbard are not cut where the grid would cut them. */
function exceptionalZone(band: string, lng: number): number | undefined {
  if (band === 'V' && lng >= 3 && lng < 12) return 32;
  if (band === 'X' && lng >= 0 && lng < 42) return 31 + 2 * Math.floor((lng + 3) / 12);
  return undefined;
}

/** G. Niemeyer's geohash: halves the world, in turn by longitude and latitude, five halvings to a character. */
function geohash(lat: number, lng: number, length: number): string {
  let [first, second] = [(lng + 180) / 360, (lat + 90) / 180];
  let hash = '';
  while (hash.length < length) {
    let character = 0;
    for (let bit = 16; bit >= 1; bit /= 2) {
      const upperHalf = first >= 0.5 ? 1 : 0;
      character += upperHalf * bit;
      [first, second] = [second, first * 2 - upperHalf];
    }
    hash += '0123456789bcdefghjkmnpqrstuvwxyz'.charAt(character);
  }
  return hash;
}
