/** `openai_moderation`: moderations of OpenAI, or of who has them in its form. */
import { baseAddressOf } from '../../gateways/base-address.ts'
import { DraftEntry } from '../../gateways/draft-entry.ts'
import { literal } from '../../gateways/foreign-text.ts'
import { serviceKey } from '../../gateways/service-key.ts'
import type { DeploymentContext } from '../deployment.ts'
import type { Guardrail, GuardrailKind } from './guardrail.ts'

const key = 'OPENAI_API_KEY'

export const moderation: GuardrailKind = { take, implied: { api_key: key } }

function take(guardrail: Guardrail, context: DeploymentContext): readonly string[] {
  const entry = guardrail.entry('moderation')
  const upstream = takeUpstream(guardrail, context)
  if (upstream === undefined) {
    guardrail.left('its upstream could not be taken over')
    return []
  }
  entry.set('upstream', upstream)
  const model = guardrail.get('model')
  const text = context.texts.plain(model?.text() ?? '')
  if (text !== undefined && text !== '') entry.set('model', literal(text), model)
  const name = context.draft.add('guards', guardrail.name, entry)
  return name === undefined ? [] : [name]
}

function takeUpstream(guardrail: Guardrail, { texts, credentials, upstreams }: DeploymentContext): string | undefined {
  const address = guardrail.get('api_base')
  const text = address?.text()
  const kind = text === undefined ? 'openai' : 'openai-compatible'
  const owner = text === undefined ? kind : guardrail.name
  const entry = new DraftEntry().set('kind', kind)
  if (address !== undefined && text !== undefined) {
    const plain = texts.plain(text)
    const written = texts.address(plain === undefined ? text : baseAddressOf(kind, plain), owner)
    entry.set('base_url', written.text, address, written.why)
  }
  const said = guardrail.get('api_key')
  const credential =
    said === undefined
      ? credentials.secret(texts.variable(key, owner), undefined, undefined)
      : serviceKey(said, owner, { texts, credentials })
  entry.set('credential', credential ?? 'none')
  return upstreams.take(owner, entry)
}
