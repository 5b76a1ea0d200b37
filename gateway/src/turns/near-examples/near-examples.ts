/**
 * How near what the user of a call has said last is to the examples of its route's upstreams. The call goes on without an answer: it is
 * balanced in another way then.
 */
import type { Route } from '../../config/snapshot.ts'
import type { Nearness } from '../../models/balancing/planning.ts'
import type { ModelCall } from '../call.ts'
import { cosine } from '../embeddings/vector.ts'
import { exampleVectorsOf } from './example-vectors.ts'
import { lastWords } from './last-words.ts'

/** Undefined where the route compares nothing. Never rejects. */
export function nearExamples(call: ModelCall, route: Route): Promise<Nearness> | undefined {
  if (route.semantic === undefined || route.targets.length < 2) return undefined
  return compare(call, route, route.semantic)
}

async function compare(call: ModelCall, { model }: Route, semantic: NonNullable<Route['semantic']>): Promise<Nearness> {
  const { services, snapshot, caller } = call
  const words = lastWords(call)
  if (words === '') return nearToNothing('nobody has said anything that could be compared')
  const examples = exampleVectorsOf(semantic)
  const rests = examples.restsFor(services.clock.now())
  if (rests !== undefined) return notCompared(rests)
  const asked = { snapshot, caller, granted: `balance of ${model}` }
  const [known, said] = await Promise.all([
    examples.of(services, asked, semantic),
    services.vectors.of(asked, semantic.embeddings, [words]),
  ])
  if ('failed' in known) return notCompared(known.failed)
  if ('failed' in said) {
    if (said.failed === 'upstream.timeout') examples.rest(said.failed, services.clock.now())
    return notCompared(said.failed)
  }
  const [vector] = said.vectors
  return {
    of: ({ examples: own = [] }) => {
      const nearest = Math.max(
        ...own.map((text) => {
          const example = known.vectors.get(text)
          return vector === undefined || example === undefined ? -1 : cosine(vector, example)
        }),
      )
      return nearest >= semantic.threshold ? nearest : undefined
    },
    otherwise: 'what was said is near to no examples of it',
  }
}

function notCompared(code: string): Nearness {
  return nearToNothing(`what was said could not be compared (${code})`)
}

function nearToNothing(otherwise: string): Nearness {
  return { of: () => undefined, otherwise }
}
