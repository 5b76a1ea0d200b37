/** The kind `moderation`: OpenAI's moderations, and whoever answers in their form. */
import type { GuardConfig } from '@turnward/contract/config'
import type { Guard } from '../../../config/snapshot.ts'
import { isObject } from '../../../core/json.ts'
import { objectsOf } from '../../../wire/request/fields.ts'
import { type Examiner, kindsOf, ServiceFailure } from '../examiner.ts'
import { askService } from './asking-service.ts'
import { operationPath } from './operation-path.ts'

type ModerationConfig = Extract<GuardConfig, { kind: 'moderation' }>

export function examineByModeration({ model, categories }: ModerationConfig, guard: Guard): Examiner {
  return {
    most: 100_000,
    async examine(_side, texts, asking) {
      const input = texts.map(({ text }) => text)
      const { results } = await askService(asking, guard, { path: operationPath(guard, 'moderations', model), body: { model, input } })
      const answers = objectsOf(results)
      if (answers.length !== texts.length) throw new ServiceFailure('its results are not one for each text')
      return {
        found: kindsOf(
          answers.flatMap(({ flagged, categories: flags, category_scores: scores }) => {
            if (!isObject(scores) || typeof flagged !== 'boolean') throw new ServiceFailure('its results have no scores')
            if (categories !== undefined)
              return Object.entries(categories).flatMap(([name, most]) => {
                const score = scores[name]
                if (typeof score !== 'number') throw new ServiceFailure(`it has no score for ${name}`)
                return score >= most ? [name] : []
              })
            const named = isObject(flags) ? Object.entries(flags).flatMap(([name, is]) => (is === true ? [name] : [])) : []
            return flagged ? (named.length === 0 ? ['flagged'] : named) : []
          }),
        ),
      }
    },
  }
}
