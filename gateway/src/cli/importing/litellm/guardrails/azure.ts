/** `azure/text_moderations` and `azure/prompt_shield`: Content Safety of Azure. */
import { contentCategories, takeContentSafety, type ForeignCategory } from '../../gateways/azure-content-safety.ts'
import type { DraftEntry } from '../../gateways/draft-entry.ts'
import type { Foreign } from '../../gateways/foreign-value.ts'
import { setServiceUrl } from '../../gateways/guard-settings.ts'
import { serviceKey } from '../../gateways/service-key.ts'
import type { DeploymentContext } from '../deployment.ts'
import type { Guardrail, GuardrailKind } from './guardrail.ts'

/** From which severity on something is found there where nothing is said. */
const usual = 2

export const azureText: GuardrailKind = {
  take: takeText,
  left: {
    haltOnBlocklistHit: 'what is in a block list is found beside what is in a category',
    outputType: 'severities have four levels here: 0, 2, 4, 6',
    severity_threshold: 'every category has a severity of its own',
    severity_threshold_by_category: 'the category is not among those that are looked for',
  },
}

export const azureShield: GuardrailKind = { take: takeShield }

function takeText(guardrail: Guardrail, context: DeploymentContext): readonly string[] {
  const make = maker(guardrail, context)
  if (make === undefined) return []
  const blocklists = guardrail.get('blocklistNames')
  return takeContentSafety(guardrail.name, { categories: categoriesOf(guardrail), usual, blocklists, make }, context.draft)
}

/** Those that are asked for, with their severity: their own or the one of all, whichever is the lower. */
function categoriesOf(guardrail: Guardrail): readonly ForeignCategory[] {
  const general = guardrail.get('severity_threshold')
  const own = new Map(guardrail.get('severity_threshold_by_category')?.entries() ?? [])
  const listed = guardrail
    .get('categories')
    ?.items()
    .map((said) => ({ name: said.text() ?? '', said }))
  const asked: readonly Pick<ForeignCategory, 'name' | 'said'>[] = listed ?? contentCategories.map((name) => ({ name }))
  // With severities for some and none for all, the others are not refused.
  return asked
    .filter(({ name }) => own.size === 0 || general !== undefined || own.has(name))
    .map((category) => ({ ...category, severity: lower(own.get(category.name), general) }))
}

function lower(one: Foreign | undefined, other: Foreign | undefined): Foreign | undefined {
  if (one === undefined || other === undefined) return one ?? other
  return (one.number() ?? Infinity) <= (other.number() ?? Infinity) ? one : other
}

const highest = 6
const alsoHarm = `categories of harm are looked at as well, from severity ${highest} on`

function takeShield(guardrail: Guardrail, context: DeploymentContext): readonly string[] {
  const entry = maker(guardrail, context)?.().set('shield', true, guardrail.get('guardrail'), alsoHarm).set('severity', highest)
  const name = entry === undefined ? undefined : context.draft.add('guards', guardrail.name, entry)
  return name === undefined ? [] : [name]
}

/** Makes a guard that asks the service; undefined when nothing says where it is and with which key. */
function maker(guardrail: Guardrail, context: DeploymentContext): (() => DraftEntry) | undefined {
  const url = guardrail.get('api_base')
  const credential = serviceKey(guardrail.get('api_key'), guardrail.name, context)
  if (url?.text() !== undefined && credential !== undefined)
    return () => {
      const entry = guardrail.entry('azure-content-safety').set('credential', credential)
      setServiceUrl(entry, url, /\/contentsafety\/.*$/, guardrail.name, context.texts)
      return entry
    }
  guardrail.left('it does not say where the service is, or has no key')
  return undefined
}
