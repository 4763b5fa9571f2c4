// Without state between calls: a TextDecoder that streams leaves the fast path of Node, and gives strings twice as large.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const encoder = new TextEncoder();
const scratch = new Uint8Array(8192);

/** Bytes that are no UTF-8 become U+FFFD. A byte order mark stays. */
export function decodeUtf8(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** How many bytes `text` takes in UTF-8. */
export function utf8Length(text: string): number {
  let length = 0;
  for (let at = 0; at < text.length;) {
    const { read, written } = encoder.encodeInto(text.slice(at), scratch);
    at += read;
    length += written;
  }
  return length;
}
