/** Images, documents and other files, to and from the neutral form. */
import { asText, type JsonObject } from '../../../../core/json.ts'
import type { HubMedia, HubPart } from '../../../hub/conversation.ts'
import { objectOf, stringOf, tag } from '../../../hub/loose-fields.ts'
import { unsupported } from '../../../request/fields.ts'

/** Parts that are neither words nor calls. */
export function readOther(part: JsonObject, at: string): HubPart[] {
  const inline = objectOf(part.inlineData)
  if (inline !== undefined) {
    const mediaType = asText(inline.mimeType)
    const source = { from: 'bytes' as const, mediaType, data: asText(inline.data) }
    if (mediaType.startsWith('image/')) return [{ kind: 'media', media: 'image', source, at: `${at}.inlineData` }]
    if (!/^(?:audio|video)\//.test(mediaType))
      return [{ kind: 'media', media: 'document', source, title: stringOf(inline.displayName), at: `${at}.inlineData` }]
  }
  const file = objectOf(part.fileData)
  if (file !== undefined && /^https?:/.test(asText(file.fileUri)) && asText(file.mimeType).startsWith('image/'))
    return [{ kind: 'media', media: 'image', source: { from: 'url', url: asText(file.fileUri) }, at: `${at}.fileData` }]
  return [{ kind: 'native', family: 'google', called: `a part with ${tag(Object.keys(part)[0])}`, value: part, isCall: false, at }]
}

/** `inside`: writes the parts of a document that is made of parts. Throws `request.unsupported`. */
export function writeMedia({ source, at, title, context }: HubMedia, inside: (part: HubPart) => JsonObject[]): JsonObject[] {
  const before = context === undefined || context === '' ? [] : [{ text: context }]
  switch (source.from) {
    case 'bytes':
      return [...before, { inlineData: { mimeType: source.mediaType, data: source.data } }]
    case 'text':
      return [...before, { text: title === undefined || title === '' ? source.text : `[${title}]\n${source.text}` }]
    case 'parts':
      return [...before, ...source.parts.flatMap(inside)]
    case 'url':
      throw unsupported(at, 'the Gemini API does not fetch addresses', 'Send the data itself.')
    default:
      throw unsupported(at, 'a file id means nothing to another vendor', 'Send the data itself.')
  }
}
