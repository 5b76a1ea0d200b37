/** Lakera Guard, as every gateway has it: an address that ends in its endpoint, a key, a project. */
import { noCredential } from '../../../config/references.ts'
import type { DraftEntry } from './draft-entry.ts'
import type { Foreign } from './foreign-value.ts'
import { setServiceUrl } from './guard-settings.ts'
import type { CredentialMaking } from './header-credential.ts'
import { serviceKey } from './service-key.ts'
import { setShaped } from './shaped-settings.ts'

export interface ForeignLakera {
  readonly url: Foreign | undefined
  readonly key: Foreign | undefined
  readonly project: Foreign | undefined
}

const endpoint = /\/v\d\/(?:guard|prompt_injection|moderation|pii)\/?$/

/** Without a key it is one that somebody runs themselves. */
export function setLakera(entry: DraftEntry, { url, key, project }: ForeignLakera, owner: string, making: CredentialMaking): void {
  if (url?.text() !== undefined) setServiceUrl(entry, url, endpoint, owner, making.texts)
  setShaped(entry, 'project_id', 'lakeraProject', project, owner, making.texts)
  entry.set('credential', serviceKey(key, owner, making) ?? noCredential)
}
