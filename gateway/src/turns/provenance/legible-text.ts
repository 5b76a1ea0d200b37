/**
 * Text as a model reads it that makes out what is hidden from people: tag characters, which are drawn as nothing and each stand for
 * a letter, and Base64 of a text. Whoever repeats such words repeats what they say. Once only: what was encoded twice stays as it is.
 */

const tags = /[\u{e0020}-\u{e007e}]+/gu
/** What each of them begins with. */
const tagStart = '\udb40'
const tagOffset = 0xe0000
/** A shorter run says less than a passage does. */
const shortestRun = 40
/** Looked at before all of a run is decoded: most are pictures, keys and digests. */
const probe = 64
/** What no text has, but for half a character where the probe ends. */
const unlikeText = /[\0-\x08\x0e-\x1f\x7f\ufffd]/

/** The text with what it hides in the place of what hides it. Linear in it, and much less where it hides nothing. */
export function legibleText(text: string): string {
  return decoded(text.includes(tagStart) ? text.replace(tags, (run) => ` ${untagged(run)} `) : text)
}

function untagged(run: string): string {
  let ascii = ''
  for (const tag of run) ascii += String.fromCharCode((tag.codePointAt(0) ?? tagOffset) - tagOffset)
  return ascii
}

/** A run that is long enough has one of every so many places, so only these are looked at, and what stands around them. */
function decoded(text: string): string {
  let legible = ''
  let done = 0
  for (let at = shortestRun - 1; at < text.length; at += shortestRun) {
    if (!isEncoding(text.charCodeAt(at))) continue
    let start = at
    while (start > done && isEncoding(text.charCodeAt(start - 1))) start -= 1
    let end = at + 1
    while (end < text.length && isEncoding(text.charCodeAt(end))) end += 1
    const said = end - start < shortestRun ? undefined : decodedRun(text.slice(start, end))
    if (said !== undefined) {
      legible += `${text.slice(done, start)} ${said} `
      done = end
    }
    // What follows it begins a run of its own.
    if (end > at + shortestRun) at = end - 1
  }
  return done === 0 ? text : legible + text.slice(done)
}

/** Letters, digits, and what both alphabets have besides. */
function isEncoding(code: number): boolean {
  return (
    (code >= 0x61 && code <= 0x7a) ||
    (code >= 0x41 && code <= 0x5a) ||
    (code >= 0x2f && code <= 0x39) ||
    code === 0x2b ||
    code === 0x2d ||
    code === 0x5f
  )
}

/** What stands before the text may have shifted it against its groups of four. */
function decodedRun(run: string): string | undefined {
  for (let start = 0; start < 4; start += 1) {
    const beginning = Buffer.from(run.slice(start, start + probe), 'base64').toString('utf8')
    if (!unlikeText.test(beginning.slice(0, -3))) return Buffer.from(run.slice(start), 'base64').toString('utf8')
  }
  return undefined
}
