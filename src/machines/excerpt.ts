const longest = 80;

/** More bytes than the characters of an excerpt can take, so that none of them is cut apart. */
export const excerptBytes = 4 * (longest + 2);

/** The beginning of `text`, as a copy: a slice would keep the whole of it in memory. */
export function excerpt(text: string): string {
  const characters = Array.from(text.slice(0, 2 * (longest + 1)));
  return characters.length > longest ? `${characters.slice(0, longest).join('')}…` : characters.join('');
}
