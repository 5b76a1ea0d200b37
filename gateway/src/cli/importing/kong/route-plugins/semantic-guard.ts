/** `ai-semantic-prompt-guard` and `ai-semantic-response-guard`: what may be talked about, by example sentences. */
import { DraftEntry } from '../../gateways/draft-entry.ts'
import { literal } from '../../gateways/foreign-text.ts'
import { textsOf } from '../../gateways/guard-settings.ts'
import { similarityOf } from '../../gateways/similarity.ts'
import type { RoutePart } from '../../gateways/route-part.ts'
import { takeEmbeddings } from '../embeddings.ts'
import type { KongPlugin } from '../plugins.ts'
import type { KongMaking } from '../target.ts'
import { oneGuard } from './guard-part.ts'
import { ofRequests } from './left-of-requests.ts'

const sides = {
  input: { name: 'topics', deny: 'deny_prompts', allow: 'allow_prompts' },
  output: { name: 'answers', deny: 'deny_responses', allow: 'allow_responses' },
} as const

export const guardTopics = topicsGuard('input')
export const guardAnswers = topicsGuard('output')

function topicsGuard(on: keyof typeof sides) {
  const { name, ...lists } = sides[on]
  return (plugin: KongPlugin, owner: string, making: KongMaking): RoutePart | undefined => {
    const { get, whole } = plugin
    return oneGuard(plugin, `${owner}-${name}`, making, (wanted) => {
      const entry = new DraftEntry().set('kind', 'topics').set('on', on)
      entry.from(whole.get('name') ?? whole, 'kind')
      const rules = get('rules')
      for (const list of ['deny', 'allow'] as const) {
        const sentences = textsOf(rules?.get(lists[list]), entry, list, {
          isTaken: (text) => text !== '' && text.length <= 2000,
          why: 'an example is a sentence of at most 2000 characters',
          most: 256,
        })
        if (sentences.length > 0)
          entry.set(
            list,
            sentences.map((text) => making.texts.words(text, wanted, `${wanted}_EXAMPLE`).text),
          )
      }
      if (entry.value['deny'] === undefined && entry.value['allow'] === undefined) {
        whole.left('there are no examples of what may be talked about, or may not be')
        return undefined
      }
      const embeddings = takeEmbeddings(get('embeddings'), making)
      if (embeddings === undefined) {
        whole.left('examples are compared by a model of embeddings, and none was taken over: write a guard of `kind: topics`')
        return undefined
      }
      entry.set('upstream', embeddings.upstream).set('model', literal(embeddings.model), embeddings.from)
      setThreshold(entry, get)
      return entry
    })
  }
}

/** Kong's own, where nothing is said. */
const usual = 0.5
const tryAnew = 'it is the cosine from which on two texts are about the same; try it anew with your texts'

/** What counts as a match there is said by `search`; what the vector database returns at all, as a distance, by `vectordb`. */
function setThreshold(entry: DraftEntry, get: KongPlugin['get']): void {
  const [search, database] = [get('search')?.get('threshold'), get('vectordb')?.get('threshold')]
  const [said, near] = [search?.number(), similarityOf(database, get('vectordb')?.get('distance_metric'))]
  if (search !== undefined && said !== undefined && said >= 0 && said <= 1) entry.set('threshold', said, search, tryAnew)
  else if (search === undefined && near !== undefined) entry.set('threshold', near, database, tryAnew)
  else entry.set('threshold', usual)
}

const aboutLast = 'what was said last is compared, and of that the last 8000 characters'

export const leftOfSemanticGuard: Readonly<Record<string, string>> = {
  ...ofRequests,
  rules: aboutLast,
  search: 'it is no cosine from 0 to 1: texts are about the same from 0.5 on',
  vectordb: 'vectors are kept in the memory of each process; how near two texts have to be is said by `threshold`',
}
