/** Requests that carry files, as `multipart/form-data` (RFC 7578). They are written anew from what was read: nobody reads them in another way. */
import { TurnwardError } from '../../core/error.ts'

/** Parts of one form; no operation has nearly as many. */
const mostParts = 100

export interface WrittenForm {
  readonly contentType: string
  readonly bytes: Buffer
}

/** Throws `request.invalid` for what is no form, or one of too many parts. */
export async function readForm(bytes: Buffer, contentType: string | undefined): Promise<FormData> {
  if (contentType === undefined || !/^multipart\/form-data\s*;/i.test(contentType))
    throw new TurnwardError('request.invalid', { subject: 'content-type', why: 'this operation takes `multipart/form-data`' })
  const form = await new Response(new Uint8Array(bytes), { headers: { 'content-type': contentType } })
    .formData()
    .catch((cause: unknown) => {
      throw new TurnwardError('request.invalid', { subject: 'body', why: 'it is no form as its content type says', cause })
    })
  if ([...form.keys()].length > mostParts)
    throw new TurnwardError('request.invalid', { subject: 'body', why: `it has more than ${mostParts} parts` })
  return form
}

/** The one text of that name. Throws `request.invalid` naming the field. */
export function textOf(form: FormData, name: string): string {
  const [value, ...more] = form.getAll(name)
  if (typeof value !== 'string' || value === '' || more.length > 0)
    throw new TurnwardError('request.invalid', { subject: name, why: 'it must be there once, as text' })
  return value
}

/** The form with another text in one place. */
export async function writeForm(form: FormData, name: string, value: string): Promise<WrittenForm> {
  const changed = new FormData()
  for (const [key, entry] of form) {
    if (typeof entry !== 'string') changed.append(key, entry, entry.name)
    else changed.append(key, key === name ? value : entry)
  }
  const written = new Response(changed)
  return { contentType: written.headers.get('content-type') ?? '', bytes: Buffer.from(await written.arrayBuffer()) }
}
