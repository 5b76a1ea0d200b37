/**
 * Text in the form in which values are looked for in it. Only what no reader could take for another value is made equal: case,
 * white space, compatibility forms and characters nobody sees *in the text that is searched*. Look-alikes are never made equal:
 * `аpple.com` with a Cyrillic letter is another host, and to find it in what a person wrote about apple.com would be the attack.
 */

export interface NormalText {
  /** As it was written. */
  readonly raw: string
  /** Compatibility forms, invisible characters and runs of white space made equal; with its case. */
  readonly plain: string
  /** The same in lower case. */
  readonly folded: string
}

/** Between texts that are searched together: no value reaches across it. */
export const seam = '\0'

const ascii = /^[\x00-\x7f]*$/
/** What is not seen: format characters, variation selectors, tags, fillers, control characters but white space and the seam. */
const invisible = /[\p{Cf}\p{Variation_Selector}\u034f\u115f\u1160\u3164\uffa0\u0001-\u0008\u000e-\u001f\u007f-\u0084\u0086-\u009f]/gu
const asciiInvisible = /[\x01-\x08\x0e-\x1f\x7f]/g
const hyphens = /[\u2010\u2011\u2012\u2212]/g
const apostrophes = /[\u2018\u2019\u02bc]/g
const space = /\s+/g

/** The normal form of a text that is searched. Linear in it. */
export function normalText(raw: string): NormalText {
  const seen = ascii.test(raw)
    ? raw.replace(asciiInvisible, '')
    : raw.normalize('NFKC').replace(invisible, '').replace(hyphens, '-').replace(apostrophes, "'")
  const plain = seen.replace(space, ' ')
  return { raw, plain, folded: plain.toLowerCase() }
}

/**
 * The normal form of a value that is sought; undefined when whoever gets it could read it as another value than a person does:
 * characters nobody sees, compatibility forms, line breaks. Such a value is found only where it is written exactly so.
 */
export function normalValue(value: string): string | undefined {
  const trimmed = trimSpaces(value)
  if (/[\0\r\n\v\f\u0085\u2028\u2029]/.test(trimmed)) return undefined
  if (ascii.test(trimmed)) return asciiHidden.test(trimmed) ? undefined : trimmed.replace(space, ' ').toLowerCase()
  const composed = trimmed.normalize('NFC')
  if (hidden.test(composed) || composed.normalize('NFKC') !== composed) return undefined
  return composed.replace(hyphens, '-').replace(apostrophes, "'").replace(space, ' ').toLowerCase()
}

const hidden = new RegExp(invisible.source, 'u')
const asciiHidden = new RegExp(asciiInvisible.source)

function trimSpaces(text: string): string {
  let [start, end] = [0, text.length]
  while (start < end && text[start] === ' ') start += 1
  while (end > start && text[end - 1] === ' ') end -= 1
  return text.slice(start, end)
}
