/** The master key of LiteLLM: an administrator's key, with which every model may be asked. */
import type { Draft } from '../gateways/draft.ts'
import { DraftEntry } from '../gateways/draft-entry.ts'
import type { ForeignTexts } from '../gateways/foreign-text.ts'
import type { Foreign } from '../gateways/foreign-value.ts'

const shortest = 20

export function takeMasterKey(key: Foreign | undefined, draft: Draft, texts: ForeignTexts): void {
  const text = key?.text()
  const plain = text === undefined ? undefined : texts.plain(text)
  if (key === undefined || text === undefined) return
  if (plain !== undefined && plain.length < shortest) {
    key.left(`a key has ${shortest} characters or more here: make one with \`turnward keys create\``)
    return
  }
  const written = texts.secret(text, 'master', 'LITELLM_MASTER_KEY')
  const principal = draft.add('principals', 'litellm-admin', new DraftEntry().set('kind', 'workload'))
  if (principal === undefined) return
  const entry = new DraftEntry()
    .set('principal', principal)
    .set('secret', written.text, key, `it is the key of an administrator, and has ${shortest} characters or more here`)
    .set('scopes', ['models', 'mcp', 'admin'])
  if (draft.add('keys', 'master', entry) === undefined) return
  draft.push('grants', new DraftEntry().set('principals', [principal]).set('models', ['*']))
  draft.setting('identity', new DraftEntry().set('roles', { admin: { people: [principal] } }))
}
