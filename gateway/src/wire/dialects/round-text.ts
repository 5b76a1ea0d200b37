/** The rounds of one client request are one message to its client: how their texts go together, in every dialect. */

/** Stands between the texts of two rounds. */
export const roundSeparator = '\n\n'

/** Texts of two rounds as one. */
export function joinRounds(earlier: string, later: string): string {
  return earlier === '' || later === '' ? earlier + later : earlier + roundSeparator + later
}

/** Bytes of texts as they are sent. */
export function bytesOf(texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0)
}
