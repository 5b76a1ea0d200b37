/** What kind of file it is: as its client says, else by the end of its name. */

const byEnding: Readonly<Record<string, string>> = {
  pdf: 'application/pdf',
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  txt: 'text/plain',
  md: 'text/markdown',
  csv: 'text/csv',
  html: 'text/html',
  json: 'application/json',
  jsonl: 'application/jsonl',
}

const unknown = 'application/octet-stream'
const mediaTypeForm = /^[\w.+-]{1,64}\/[\w.+-]{1,64}$/

/** `said`: the content type of the part that brought it. */
export function mediaTypeOf(name: string, said: string): string {
  const type = said.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  if (mediaTypeForm.test(type) && type !== unknown) return type
  return byEnding[name.slice(name.lastIndexOf('.') + 1).toLowerCase()] ?? unknown
}

export function dataUrl(mediaType: string, content: Buffer): string {
  return `data:${mediaType};base64,${content.toString('base64')}`
}

/** Whether the content of a file is text that anybody can read. */
export function isTextType(mediaType: string): boolean {
  return mediaType.startsWith('text/') || mediaType === 'application/json' || mediaType === 'application/jsonl'
}
