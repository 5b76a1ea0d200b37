/** `ai-semantic-cache`: answers that are given again. */
import { setCache } from '../../gateways/kept-answers.ts'
import type { RoutePart } from '../../gateways/route-part.ts'
import type { KongPlugin } from '../plugins.ts'
import { ofRequests } from './left-of-requests.ts'

const isExact = 'answers are given again to the same request only'

export function keepAnswers({ get, whole }: KongPlugin): RoutePart | undefined {
  const exact = get('exact_caching')
  if (exact?.flag() !== true) {
    whole.left(`${isExact}: say \`cache: { kind: exact }\` on the routes`)
    return undefined
  }
  const name = whole.get('name')
  return (route) => setCache(route, { said: [...(name === undefined ? [] : [name]), exact], ttl: get('cache_ttl') })
}

export const leftOfSemanticCache: Readonly<Record<string, string>> = {
  ...ofRequests,
  cache_control: 'what a client says in `cache-control` always holds',
  embeddings: isExact,
  ignore_assistant_prompts: 'the whole request counts',
  ignore_system_prompts: 'the whole request counts',
  ignore_tool_prompts: 'the whole request counts',
  message_countback: 'the whole request counts',
  stop_on_failure: 'answers are kept in the memory of each process, which does not fail by itself',
  vectordb: 'answers are kept in the memory of each process',
}
