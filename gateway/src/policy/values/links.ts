/**
 * Whatever a reader, or a program that shows a text, could take for a link: addresses of the web and of mail, bare domains.
 * Rather too much than too little: what is found here needs a source of its own.
 */
import { normalText } from './normal-text.ts'

/** A text with more is not read. */
const mostLinks = 64
const longestChunk = 4096
const dots = /[\u3002\uff61\u2024]/g
const chunks = /[^\s"<>`|\0]+/g
const withScheme = /[a-z][a-z0-9+.-]*:\/\/.+|(?:mailto|tel|sms|data|javascript|vbscript|blob):.+/i
const address = /[^\s@,;:()[\]{}]+@[^\s@,;()[\]{}]+/
const domain = /(?:[\p{L}\p{N}_-]+\.)+(?:\p{L}{2,}|xn--[a-z0-9-]+)(?::\d+)?(?:[/?#].*)?/u
const numeric = /(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?(?:[/?#].*)?/
const closing = /[.,;:!?*_'")\]}]+$/

/** The links of a text; undefined when there are more than can be looked at. */
export function linksIn(text: string): readonly string[] | undefined {
  const found = new Set<string>()
  for (const [chunk] of normalText(text).plain.replace(dots, '.').matchAll(chunks)) {
    if (!/[.:@]/.test(chunk)) continue
    if (chunk.length > longestChunk) return undefined
    const link = [withScheme, address, domain, numeric].map((form) => form.exec(chunk)?.[0]).find((one) => one !== undefined)
    if (link !== undefined) found.add(link.replace(closing, '').replace(/^mailto:/i, ''))
    if (found.size > mostLinks) return undefined
  }
  return [...found]
}
