/** The kind `lakera`: Lakera Guard, `POST /v2/guard`. */
import type { GuardConfig } from '@turnward/contract/config'
import type { Guard } from '../../../config/snapshot.ts'
import type { JsonObject } from '../../../core/json.ts'
import { objectsOf } from '../../../wire/request/fields.ts'
import { type Examiner, kindsOf, ServiceFailure, type ShownText } from '../examiner.ts'
import type { Place } from '../guard.ts'
import { askService } from './asking-service.ts'

type LakeraConfig = Extract<GuardConfig, { kind: 'lakera' }>

const roles: Readonly<Partial<Record<Place, string>>> = {
  system: 'system',
  tools: 'system',
  user: 'user',
  settings: 'user',
  tool_result: 'tool',
}

export function examineByLakera({ project_id: project }: LakeraConfig, guard: Guard): Examiner {
  return {
    most: 100_000,
    async examine(_side, texts, asking) {
      const answer = await askService(asking, guard, {
        path: '/v2/guard',
        body: {
          messages: texts.map(({ place, text }) => ({ role: roles[place] ?? 'assistant', content: text })),
          breakdown: true,
          payload: true,
          ...(project === undefined ? {} : { project_id: project }),
        },
      })
      if (typeof answer.flagged !== 'boolean') throw new ServiceFailure('it does not say whether it is flagged')
      if (!answer.flagged) return { found: [] }
      const detected = objectsOf(answer.breakdown).filter((one) => one.detected === true)
      const kinds = kindsOf(detected.map((one) => one.detector_type))
      const payload = objectsOf(answer.payload)
      // Only where it says where everything is that it has found.
      const isPlaced = detected.length > 0 && detected.every((one) => payload.some((part) => part.detector_type === one.detector_type))
      const written = isPlaced ? withoutPayload(texts, payload) : undefined
      return { found: kinds.length === 0 ? ['flagged'] : kinds, ...(written === undefined ? {} : { texts: written }) }
    },
  }
}

/** Undefined where something is not where it is said to be. */
function withoutPayload(texts: readonly ShownText[], payload: readonly JsonObject[]): readonly string[] | undefined {
  const said = texts.map(({ text }) => Array.from(text))
  for (const { message_id: id, start, end, text } of payload.toSorted((a, b) => Number(b.start) - Number(a.start))) {
    const characters = said[Number(id ?? 0)]
    const [from, to] = [Number(start), Number(end)]
    if (characters === undefined || characters.slice(from, to).join('') !== text) return undefined
    characters.splice(from, to - from, '[removed]')
  }
  return said.map((characters) => characters.join(''))
}
