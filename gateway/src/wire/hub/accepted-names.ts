/**
 * Names of tools and ids of calls as every vendor takes them: letters, digits, `_` and `-`. Others are written one to one in
 * that alphabet, so that a call and its result, an offer and its call still find each other, and are read back exactly.
 * What is read back only if it is the one way to write the original, so that no two things ever have one name.
 */

const accepted = /^[a-zA-Z0-9_-]+$/
const idPrefix = 'tw_id_'

/** The id where a vendor takes no other characters. */
export function acceptedId(id: string): string {
  if (accepted.test(id) && !id.startsWith(idPrefix)) return id
  // JSON has a form for every text, also for half a pair of surrogates.
  return idPrefix + Buffer.from(JSON.stringify(id).slice(1, -1)).toString('base64url')
}

/** The id as its vendor made it. */
export function originalId(id: string): string {
  if (!id.startsWith(idPrefix)) return id
  try {
    const original: unknown = JSON.parse(`"${Buffer.from(id.slice(idPrefix.length), 'base64url').toString()}"`)
    return typeof original === 'string' && original !== '' && acceptedId(original) === id ? original : id
  } catch {
    return id
  }
}

/** `_x2e_` stands for a dot. */
const escaped = /_x([0-9a-f]{1,6})_/g
/** What must be written so: what vendors refuse, and an underscore that would read as the beginning of such. */
const toEscape = /_(?=x[0-9a-f]{1,6}(?:_|[^a-zA-Z0-9_-]))|[^a-zA-Z0-9_-]/gu

/** The name where a vendor takes no other characters. */
export function acceptedName(name: string): string {
  return name.replace(toEscape, (character) => `_x${(character.codePointAt(0) ?? 0).toString(16)}_`)
}

/** The name as the client gave it. */
export function originalName(name: string): string {
  if (!name.includes('_x')) return name
  const original = name.replace(escaped, (whole, hex: string) => {
    const code = Number.parseInt(hex, 16)
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole
  })
  return acceptedName(original) === name ? original : name
}
