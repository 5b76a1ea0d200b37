/** The kind `model-armor`: Google Cloud's Model Armor, `sanitizeUserPrompt` and `sanitizeModelResponse`. */
import type { GuardConfig } from '@turnward/contract/config'
import type { Guard } from '../../../config/snapshot.ts'
import { isObject, type JsonObject, type JsonValue } from '../../../core/json.ts'
import { type Examined, type Examiner, kindsOf, ServiceFailure } from '../examiner.ts'
import { askService } from './asking-service.ts'

type ArmorConfig = Extract<GuardConfig, { kind: 'model-armor' }>

export function examineByModelArmor({ project, location, template }: ArmorConfig, guard: Guard): Examiner {
  const path = `/v1/projects/${project}/locations/${location}/templates/${template}`
  return {
    most: 20_000,
    async examine(side, texts, asking) {
      const [method, field] = side === 'input' ? ['sanitizeUserPrompt', 'userPromptData'] : ['sanitizeModelResponse', 'modelResponseData']
      // What it writes otherwise is one text.
      const answers = await Promise.all(
        texts.map(async ({ text }) =>
          ruled(await askService(asking, guard, { path: `${path}:${method}`, body: { [field ?? '']: { text } } }), text),
        ),
      )
      const found = kindsOf(answers.flatMap((answer) => answer.found))
      const written = answers.map(({ texts: [text] = [] }) => text)
      return { found, ...(written.every((text) => text !== undefined) ? { texts: written } : {}) }
    },
  }
}

function ruled({ sanitizationResult: result }: JsonObject, text: string): Examined {
  if (!isObject(result)) throw new ServiceFailure('its answer has no `sanitizationResult`')
  // A filter that was skipped has not looked.
  if (result.invocationResult !== 'SUCCESS') throw new ServiceFailure('not all of its filters have looked')
  if (result.filterMatchState === 'NO_MATCH_FOUND') return { found: [], texts: [text] }
  if (result.filterMatchState !== 'MATCH_FOUND') throw new ServiceFailure('its `filterMatchState` is none that is known')
  const filters = isObject(result.filterResults) ? Object.entries(result.filterResults) : []
  const matched = filters.filter(([, filter]) => hasMatch(filter)).map(([name]) => name)
  const written = matched.length === 1 && matched[0] === 'sdp' ? deidentified(filters.find(([name]) => name === 'sdp')?.[1]) : undefined
  return { found: matched.length === 0 ? ['match'] : matched, ...(written === undefined ? {} : { texts: [written] }) }
}

function hasMatch(value: JsonValue | undefined): boolean {
  if (!isObject(value)) return false
  return value.matchState === 'MATCH_FOUND' || Object.values(value).some(hasMatch)
}

function deidentified(value: JsonValue | undefined): string | undefined {
  const filter = isObject(value) && isObject(value.sdpFilterResult) ? value.sdpFilterResult : {}
  const result = isObject(filter.deidentifyResult) ? filter.deidentifyResult : {}
  return isObject(result.data) && typeof result.data.text === 'string' ? result.data.text : undefined
}
