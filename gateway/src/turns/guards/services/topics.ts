/** The kind `topics`: what is talked about, by how near its embedding is to those of example sentences. */
import type { GuardConfig } from '@turnward/contract/config'
import type { Guard } from '../../../config/snapshot.ts'
import { objectsOf } from '../../../wire/request/fields.ts'
import { type Asking, type Examiner, ServiceFailure } from '../examiner.ts'
import { askService } from './asking-service.ts'
import { operationPath } from './operation-path.ts'

type TopicsConfig = Extract<GuardConfig, { kind: 'topics' }>
type Vector = readonly number[]

/** Characters at the end of what was said that are looked at. */
const mostCharacters = 8000

export function examineTopics({ model, allow, deny, threshold }: TopicsConfig, guard: Guard): Examiner {
  const examples = [...deny, ...allow]
  // Embedded once, when they are first needed; what fails is tried again.
  let known: Promise<readonly Vector[]> | undefined
  const embedExamples = (asking: Asking): Promise<readonly Vector[]> => {
    known ??= embed(guard, model, examples, asking).catch((error: unknown) => {
      known = undefined
      throw error
    })
    return known
  }
  return {
    most: Infinity,
    isAboutLast: true,
    async examine(_side, texts, asking) {
      const said = texts
        .map(({ text }) => text)
        .join('\n')
        .slice(-mostCharacters)
      const [vectors, [vector = []]] = await Promise.all([embedExamples(asking), embed(guard, model, [said], asking)])
      const near = vectors.map((example) => similarity(example, vector))
      const denied = near.slice(0, deny.length).flatMap((is, index) => (is >= threshold ? [`deny ${index}`] : []))
      const isOff = allow.length > 0 && !near.slice(deny.length).some((is) => is >= threshold)
      return { found: [...denied, ...(isOff ? ['nothing of what is allowed'] : [])] }
    },
  }
}

async function embed(guard: Guard, model: string, input: readonly string[], asking: Asking): Promise<readonly Vector[]> {
  const { data } = await askService(asking, guard, {
    path: operationPath(guard, 'embeddings', model),
    body: { model, input: [...input], encoding_format: 'float' },
  })
  const vectors = objectsOf(data)
    .toSorted((a, b) => Number(a.index) - Number(b.index))
    .map(({ embedding }) => embedding)
  if (vectors.length !== input.length) throw new ServiceFailure('its embeddings are not one for each text')
  return vectors.map((vector) => {
    if (!Array.isArray(vector) || vector.length === 0 || !vector.every((part) => typeof part === 'number'))
      throw new ServiceFailure('an embedding of its answer is no list of numbers')
    return vector
  })
}

/** Cosine. Throws for vectors of two models. */
function similarity(one: Vector, other: Vector): number {
  if (one.length !== other.length) throw new ServiceFailure('its embeddings are of different lengths')
  let [product, ones, others] = [0, 0, 0]
  for (const [at, value] of one.entries()) {
    const beside = other[at] ?? 0
    product += value * beside
    ones += value * value
    others += beside * beside
  }
  return ones === 0 || others === 0 ? 0 : product / Math.sqrt(ones * others)
}
