/** The kind `bedrock-guardrails`: `ApplyGuardrail` of Amazon Bedrock. */
import type { GuardConfig } from '@turnward/contract/config'
import type { Guard } from '../../../config/snapshot.ts'
import { isObject, type JsonObject } from '../../../core/json.ts'
import { pathSegment } from '../../../providers/path-segment.ts'
import { objectsOf } from '../../../wire/request/fields.ts'
import { type Examiner, kindsOf, ServiceFailure } from '../examiner.ts'
import { askService } from './asking-service.ts'

type BedrockConfig = Extract<GuardConfig, { kind: 'bedrock-guardrails' }>

export function examineByBedrock({ guardrail, version }: BedrockConfig, guard: Guard): Examiner {
  const path = `/guardrail/${pathSegment(guardrail)}/version/${pathSegment(version)}/apply`
  return {
    most: 25_000,
    async examine(side, texts, asking) {
      const content = texts.map(({ text }) => ({ text: { text } }))
      const { action, outputs, assessments } = await askService(asking, guard, {
        path,
        body: { source: side === 'input' ? 'INPUT' : 'OUTPUT', content },
      })
      if (action === 'NONE') return { found: [] }
      if (action !== 'GUARDRAIL_INTERVENED') throw new ServiceFailure('its `action` is none that is known')
      const acted = actedIn(objectsOf(assessments))
      const found = kindsOf(acted.map(({ name }) => name))
      const written = objectsOf(outputs).map(({ text }) => text)
      const isMasked = acted.length > 0 && acted.every(({ action: one }) => one === 'ANONYMIZED')
      const isOneForEach = written.length === texts.length && written.every((text) => typeof text === 'string')
      return { found: found.length === 0 ? ['intervened'] : found, ...(isMasked && isOneForEach ? { texts: written } : {}) }
    },
  }
}

/** Everything in the assessments that has an action of its own. */
function actedIn(values: readonly JsonObject[]): readonly { readonly name: unknown; readonly action: unknown }[] {
  return values.flatMap((value) => {
    const { action, type, name } = value
    // What a word list matched is the caller's own words.
    const own = action === 'BLOCKED' || action === 'ANONYMIZED' ? [{ name: name ?? type ?? 'word', action }] : []
    const below = Object.values(value).flatMap((item) => (Array.isArray(item) ? item.filter(isObject) : isObject(item) ? [item] : []))
    return [...own, ...actedIn(below)]
  })
}
