/** `presidio`: its analyzer. What it finds is masked, or refused, kind by kind; those are two guards here. */
import type { Foreign } from '../../gateways/foreign-value.ts'
import { setServiceUrl } from '../../gateways/guard-settings.ts'
import type { DeploymentContext } from '../deployment.ts'
import type { Guardrail, GuardrailKind } from './guardrail.ts'

const analyzer = 'PRESIDIO_ANALYZER_API_BASE'
const usualMode = 'redact'
const actions: Readonly<Record<string, string>> = { MASK: 'redact', BLOCK: 'block' }
const scopes: readonly string[] = ['input', 'output', 'both']

export const presidio: GuardrailKind = {
  take,
  implied: { presidio_analyzer_api_base: analyzer },
  left: {
    presidio_anonymizer_api_base: 'what was found is written otherwise by the gateway itself',
    mask_pii_fail_closed: 'a call is refused when the service does not answer, unless the guard says `fail: open`',
    presidio_ad_hoc_recognizers: 'recognizers are for the analyzer itself',
    presidio_entities_deny_list: 'name the kinds that are to be found under `entities`',
    presidio_phrase_allow_list: 'what is found is not compared with phrases',
    presidio_skip_system_developer_message: 'say `parts` at the guard for what is to be looked at',
    presidio_score_thresholds: 'there is one score for all kinds: `score`',
    output_parse_pii: 'nothing of it is written otherwise',
  },
}

function take(guardrail: Guardrail, { draft, texts }: DeploymentContext): readonly string[] {
  const found = Map.groupBy(entitiesOf(guardrail), ([, mode]) => mode)
  if (found.size === 0) found.set(usualMode, [])
  return [...found].flatMap(([mode, entities]) => {
    const entry = guardrail.entry('presidio').set('mode', mode)
    setScope(entry.value, guardrail, (from) => entry.from(from, 'on'))
    const url = guardrail.get('presidio_analyzer_api_base')
    if (url?.text() === undefined) entry.set('url', texts.variable(analyzer, guardrail.name, 'https://not-known-yet.example'))
    else setServiceUrl(entry, url, /\/analyze\/?$/, guardrail.name, texts)
    const language = guardrail.get('presidio_language')
    if (/^[a-z]{2,3}$/.test(language?.text() ?? '')) entry.set('language', language?.text(), language)
    if (entities.length > 0)
      entry.set(
        'entities',
        entities.map(([name]) => name),
      )
    for (const [index, [, , from]] of entities.entries()) entry.from(from, `entities[${index}]`)
    setScore(entry.value, guardrail, (from) => entry.from(from, 'score'))
    const restores = guardrail.get('output_parse_pii')
    if (mode === 'redact') entry.set('restore', restores?.flag() === true, restores)
    const name = draft.add('guards', guardrail.name, entry)
    return name === undefined ? [] : [name]
  })
}

type Entity = readonly [name: string, mode: string, from: Foreign]

function entitiesOf(guardrail: Guardrail): readonly Entity[] {
  return (guardrail.get('pii_entities_config')?.entries() ?? []).flatMap(([name, from]): Entity[] => {
    const mode = actions[from.text()?.toUpperCase() ?? '']
    if (mode !== undefined && /^[A-Z_]{2,64}$/.test(name)) return [[name, mode, from]]
    from.left('it is no kind of entity, or nothing that is done about one')
    return []
  })
}

type Say = (from: Foreign) => void

/** It says which side is looked at, whenever the guardrail is asked. */
function setScope(value: Record<string, unknown>, guardrail: Guardrail, say: Say): void {
  const scope = guardrail.get('presidio_filter_scope') ?? guardrail.get('presidio_run_on')
  const side = scope?.text()
  if (scope === undefined || side === undefined || !scopes.includes(side)) return
  value['on'] = side
  say(scope)
}

/** Everything that it finds is one there, unless something else is said. */
function setScore(value: Record<string, unknown>, guardrail: Guardrail, say: Say): void {
  const from = guardrail.get('presidio_score_thresholds')?.get('ALL')
  const score = from?.number()
  value['score'] = score === undefined || score < 0 || score > 1 ? 0 : score
  if (from !== undefined && value['score'] === score) say(from)
}
