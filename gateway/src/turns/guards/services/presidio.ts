/** The kind `presidio`: Microsoft Presidio's analyzer, `POST /analyze`. What it finds stands in the request as a placeholder, like that of `pii`. */
import type { GuardConfig } from '@turnward/contract/config'
import type { Guard } from '../../../config/snapshot.ts'
import { isObject, type JsonObject } from '../../../core/json.ts'
import { type Examiner, kindsOf, ServiceFailure } from '../examiner.ts'
import type { Asking } from '../examiner.ts'
import { askServiceForList } from './asking-service.ts'

type PresidioConfig = Extract<GuardConfig, { kind: 'presidio' }>

export function examineByPresidio(config: PresidioConfig, guard: Guard): Examiner {
  return {
    most: 50_000,
    async examine(_side, texts, asking) {
      const answers = await Promise.all(texts.map(({ text }) => analyse(config, guard, text, asking)))
      const found = answers.flat()
      if (found.length === 0) return { found: [] }
      return {
        found: kindsOf(found.map(({ kind }) => kind)),
        texts: texts.map(({ text }, index) => written(text, answers[index] ?? [], config.restore ? asking.placeholder : forGood)),
      }
    },
  }
}

const forGood = (kind: string): string => `[${kind}]`

interface Entity {
  readonly kind: string
  /** In UTF-16 units. */
  readonly start: number
  readonly end: number
}

async function analyse(
  { language, entities, score }: PresidioConfig,
  guard: Guard,
  text: string,
  asking: Asking,
): Promise<readonly Entity[]> {
  const body: JsonObject = { text, language, score_threshold: score, ...(entities === undefined ? {} : { entities }) }
  const answer = await askServiceForList(asking, guard, { path: '/analyze', body })
  // It counts characters, and not halves of them.
  const offsets = [0]
  for (const character of text) offsets.push((offsets.at(-1) ?? 0) + character.length)
  return answer.map((one) => {
    if (!isObject(one)) throw new ServiceFailure('its answer is no list of entities')
    const { entity_type: kind, start, end } = one
    const [from, to] = [offsets[Number(start)], offsets[Number(end)]]
    if (typeof kind !== 'string' || from === undefined || to === undefined || from >= to)
      throw new ServiceFailure('an entity of its answer is not in the text')
    return { kind, start: from, end: to }
  })
}

/** Of entities that overlap, the longest. */
function written(text: string, entities: readonly Entity[], placeholder: (kind: string, value: string) => string): string {
  const kept: Entity[] = []
  for (const entity of entities.toSorted((a, b) => b.end - b.start - (a.end - a.start)))
    if (!kept.some(({ start, end }) => entity.start < end && entity.end > start)) kept.push(entity)
  return kept
    .toSorted((a, b) => b.start - a.start)
    .reduce((said, { kind, start, end }) => {
      const name = /^[A-Z_]{2,40}$/.test(kind) ? kind : 'ENTITY'
      return said.slice(0, start) + placeholder(name, said.slice(start, end)) + said.slice(end)
    }, text)
}
