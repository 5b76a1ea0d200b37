/**
 * A retriever is asked for passages: at the address of the configuration and nowhere else, within bounds. It is told what the person
 * has said and how many passages are wanted, and nothing of who asks.
 */
import type { Retriever } from '../../config/snapshot.ts'
import type { CancelSignal } from '../../core/cancellation.ts'
import { stepsOf, valueAt } from '../../core/json-pointer.ts'
import { fixedHeadersOf } from '../../models/fixed-headers.ts'
import { ServiceFailure } from '../guards/examiner.ts'
import { exchangeJson, jsonHeaders } from '../guards/services/exchanging-json.ts'
import type { Services } from '../services.ts'

/** Rejects with `ServiceFailure`, which quotes nothing, or with the abort reason when nobody waits any more. */
export async function askRetriever(
  services: Pick<Services, 'upstreams'>,
  { config, service }: Retriever,
  query: string,
  waiting: CancelSignal,
): Promise<readonly string[]> {
  const request = {
    path: new URL(config.url).pathname === '/' ? '/' : '',
    headers: [...jsonHeaders, ...fixedHeadersOf(service.config).flat],
    body: JSON.stringify({ query, top_k: config.top_k }),
  }
  const answer = await exchangeJson(services, {
    service,
    request: () => request,
    timeoutMs: config.timeout_ms,
    mostBytes: config.most_bytes,
    isAnswer: (status) => status === 200,
    waiting,
  })
  return passagesIn(answer, config)
}

/** The texts of the passages, best first, as many as there may be and as far as they fit. */
function passagesIn(answer: unknown, { passages, text, top_k: most, most_characters: room }: Retriever['config']): readonly string[] {
  const list = valueAt(answer, stepsOf(passages))
  if (!Array.isArray(list)) throw new ServiceFailure(`its answer has no list at \`${passages}\``)
  const texts: string[] = []
  let left = room
  for (const passage of list.slice(0, most)) {
    const said: unknown = typeof passage === 'string' ? passage : valueAt(passage, stepsOf(text))
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
