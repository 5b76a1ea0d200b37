/**
 * Cookies of ours. Under https they carry the `__Host-` prefix: only this host, only over https, only for all of it, and no
 * neighbour can set them. Over http on this machine no browser takes that prefix, so that the name carries the port instead:
 * cookies of other programs on other ports come along. Pure.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'

export class Cookies {
  readonly #start: string
  readonly #attributes: string

  /** `publicUrl`: what browsers reach us under. */
  constructor(publicUrl: string) {
    const { protocol, port } = new URL(publicUrl)
    const isSecure = protocol === 'https:'
    this.#start = isSecure ? '__Host-turnward-' : `turnward-${port === '' ? '80' : port}-`
    this.#attributes = `; Path=/; HttpOnly; SameSite=Lax${isSecure ? '; Secure' : ''}`
  }

  /** As a browser sends it. */
  fullName(name: string): string {
    return this.#start + name
  }

  /** The value; undefined without one, and when there are several, because nobody can say which is ours. */
  read(request: IncomingMessage, name: string): string | undefined {
    const found = this.all(request).filter(([key]) => key === name)
    return found.length === 1 ? found[0]?.[1] : undefined
  }

  /** Name (without its start) and value of each cookie of ours, as the browser sent them. */
  all(request: IncomingMessage): readonly (readonly [string, string])[] {
    return (request.headers.cookie ?? '').split(';').flatMap((pair): (readonly [string, string])[] => {
      const [name = '', ...value] = pair.trim().split('=')
      return name.startsWith(this.#start) ? [[name.slice(this.#start.length), value.join('=')]] : []
    })
  }

  /** Sets a cookie with the answer, in addition to others. Without `maxAgeSeconds` the browser drops it when it ends. */
  set(response: ServerResponse, name: string, value: string, maxAgeSeconds?: number): void {
    const age = maxAgeSeconds === undefined ? '' : `; Max-Age=${maxAgeSeconds}`
    response.appendHeader('set-cookie', `${this.#start}${name}=${value}${this.#attributes}${age}`)
  }

  remove(response: ServerResponse, name: string): void {
    this.set(response, name, '', 0)
  }
}
