/** A name as one segment of a path, whatever is in it: no model leads anywhere else than where models are. */
import { TurnwardError } from '../core/error.ts'

/** Throws `request.invalid` for a name that no spelling keeps in its place. */
export function pathSegment(name: string): string {
  // RFC 3986, section 5.2.4: these two mean other segments, also percent-encoded.
  if (name === '' || name === '.' || name === '..')
    throw new TurnwardError('request.invalid', { subject: 'model', why: `\`${name}\` is no name of a model` })
  return encodeURIComponent(name)
}
