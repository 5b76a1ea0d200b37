/**
 * A retriever is asked for passages: at the address of the configuration and nowhere else, within bounds. It is told what the person
 * has said and how many passages are wanted, and nothing of who asks.
 */
import type { Retriever } from '../../config/snapshot.ts'
import type { CancelSignal } from '../../core/cancellation.ts'
import { isObject } from '../../core/json.ts'
import { parseJson } from '../../core/parse-json.ts'
import { collectBody } from '../../models/collecting-body.ts'
import { fixedHeadersOf } from '../../models/fixed-headers.ts'
import { ServiceFailure } from '../guards/examiner.ts'
import { followingFor } from '../guards/services/following-for.ts'
import type { Services } from '../services.ts'

const fixed = ['content-type', 'application/json', 'accept', 'application/json', 'accept-encoding', 'identity', 'user-agent', 'turnward']

/** Rejects with `ServiceFailure`, which quotes nothing, or with the abort reason when nobody waits any more. */
export async function askRetriever(
  { upstreams }: Pick<Services, 'upstreams'>,
  { config, service }: Retriever,
  query: string,
  waiting: CancelSignal,
): Promise<readonly string[]> {
  const { signal, stop } = followingFor(waiting, config.timeout_ms)
  try {
    const request = {
      path: new URL(config.url).pathname === '/' ? '/' : '',
      headers: [...fixed, ...fixedHeadersOf(service.config).flat],
      body: JSON.stringify({ query, top_k: config.top_k }),
    }
    const response = await upstreams.of(service).send(request, signal)
    const cut = new Promise<never>((_, reject) => {
      const abort = (): void => {
        response.abort()
        reject(signal.reason as Error)
      }
      signal.addEventListener('abort', abort, { once: true })
      if (signal.aborted) abort()
    })
    const bytes = await Promise.race([collectBody(response, config.most_bytes, service.name), cut])
    if (response.status !== 200) throw new ServiceFailure(`it answered ${response.status}`)
    return passagesIn(parsed(bytes), config)
  } catch (error) {
    if (waiting.aborted) throw waiting.reason
    if (signal.aborted) throw signal.reason
    throw error instanceof ServiceFailure
      ? error
      : new ServiceFailure('it cannot be reached, or its answer is broken off or too long', error)
  } finally {
    stop()
  }
}

function parsed(bytes: Buffer): unknown {
  try {
    return parseJson(bytes.toString('utf8'))
  } catch (error) {
    throw new ServiceFailure('its answer is no JSON', error)
  }
}

/** The texts of the passages, best first, as many as there may be and as far as they fit. */
function passagesIn(answer: unknown, { passages, text, top_k: most, most_characters: room }: Retriever['config']): readonly string[] {
  const list = at(answer, passages)
  if (!Array.isArray(list)) throw new ServiceFailure(`its answer has no list at \`${passages}\``)
  const texts: string[] = []
  let left = room
  for (const passage of list.slice(0, most)) {
    const said: unknown = typeof passage === 'string' ? passage : at(passage, text)
    if (typeof said !== 'string') throw new ServiceFailure(`a passage of its answer has no text at \`${text}\``)
    if (said === '') continue
    // What is left out is left out whole, except for a first one that is too long by itself.
    if (said.length > left && texts.length > 0) break
    texts.push(said.slice(0, left))
    left -= said.length
    if (left <= 0) break
  }
  return texts
}

/** RFC 6901, over members of its own alone. */
function at(value: unknown, pointer: string): unknown {
  let now = value
  for (const step of pointer.split('/').slice(1)) {
    const name = step.replaceAll('~1', '/').replaceAll('~0', '~')
    if (Array.isArray(now)) now = /^\d{1,6}$/.test(name) ? (now as unknown[])[Number(name)] : undefined
    else now = isObject(now) && Object.hasOwn(now, name) ? now[name] : undefined
  }
  return now
}
