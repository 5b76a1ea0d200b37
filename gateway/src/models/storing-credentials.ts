/**
 * Storing a provider credential for a person, a group or the organisation: it is tried first, and what is no good is not stored, in
 * words that tell a wrong key from a missing model, a network that is down and an empty account.
 */
import { storedCredentialSchema } from '@turnward/contract/stored-credential'
import type { ErrorCodeName } from '@turnward/contract/error-codes'
import type { Snapshot } from '../config/snapshot.ts'
import { closest } from '../core/closest-name.ts'
import { TurnwardError } from '../core/error.ts'
import { giveCredential } from '../identity/credentials.ts'
import { credentialSource, ownerText, providerKind, type CredentialOwner } from '../identity/vault/stored-credentials.ts'
import type { SecretInfo, Vault } from '../identity/vault/vault.ts'
import { testList, testModel, type TestingServices, type UpstreamTest } from './testing-upstream.ts'

export interface CredentialToStore {
  readonly owner: CredentialOwner
  readonly upstream: string
  /** `{ secret }`, `{ aws: { access_key_id, secret_access_key } }` or `{ google: { service_account } }`. */
  readonly credential: unknown
  /** A model to ask with it, which costs a few tokens. */
  readonly model?: string | undefined
  /** It is stored whatever the upstream says. */
  readonly isUntested?: boolean | undefined
  /** Waited for once it was found good, before it is stored: to put on record that it will be. */
  readonly beforeStoring?: (() => Promise<void>) | undefined
}

/** What may be shown of a stored credential. */
export interface StoredInfo {
  readonly id: string
  readonly owner: string
  readonly upstream: string
  readonly created: number
  readonly changed: number
}

export interface StoringServices extends TestingServices {
  readonly vault: Vault
}

/**
 * Rejects with `request.invalid`, with what came of trying it (`credential.refused`, `credential.no_model`, `credential.no_quota`,
 * `credential.untried`), or what the vault says.
 */
export async function storeCredential(
  services: StoringServices,
  snapshot: Pick<Snapshot, 'upstreams'>,
  { owner, upstream: name, credential: given, model, isUntested = false, beforeStoring }: CredentialToStore,
): Promise<StoredInfo & { readonly test: UpstreamTest | undefined }> {
  const upstream = snapshot.upstreams.get(name)
  if (upstream === undefined) {
    const near = closest(name, [...snapshot.upstreams.keys()])
    throw new TurnwardError('request.invalid', {
      subject: name.slice(0, 64),
      why: 'there is no such upstream',
      fix: near === undefined ? 'Name an upstream of the configuration.' : `Did you mean \`${near}\`?`,
    })
  }
  const parsed = storedCredentialSchema.safeParse(given)
  // What is wrong is told without quoting: it is a secret.
  if (!parsed.success)
    throw new TurnwardError('request.invalid', { subject: 'credential', why: parsed.error.issues.map(({ message }) => message).join('; ') })
  const { credential } = await giveCredential(credentialSource('it', parsed.data), name, services.clock.now())
  const test = isUntested
    ? undefined
    : await (model === undefined ? testList(services, upstream, credential) : testModel(services, upstream, credential, model))
  if (test !== undefined && test.verdict !== 'ok')
    throw new TurnwardError(refusals[test.verdict], { subject: name, why: `${reasons[test.verdict]}: ${test.detail}` })
  await beforeStoring?.()
  const info = await services.vault.put({ kind: providerKind, owner: ownerText(owner), name }, JSON.stringify(parsed.data))
  return { ...storedInfo(info), test }
}

const refusals = {
  network: 'credential.untried',
  vendor: 'credential.untried',
  address: 'credential.untried',
  key: 'credential.refused',
  model: 'credential.no_model',
  quota: 'credential.no_quota',
} as const satisfies Readonly<Record<Exclude<UpstreamTest['verdict'], 'ok'>, ErrorCodeName>>

const reasons: Readonly<Record<Exclude<UpstreamTest['verdict'], 'ok'>, string>> = {
  network: 'the upstream could not be reached',
  key: 'the upstream refuses the credential',
  model: 'the credential has no access to the model',
  quota: 'there is nothing left to spend with it',
  vendor: 'the upstream is in trouble itself',
  address: 'the address of the upstream is that of something else',
}

/** Of one owner, or of everybody. */
export async function listStoredCredentials(vault: Pick<Vault, 'list'>, owner?: CredentialOwner): Promise<readonly StoredInfo[]> {
  const all = await vault.list({ kind: providerKind, owner: owner === undefined ? undefined : ownerText(owner) })
  return all.map(storedInfo)
}

/** False when there was none. */
export function removeStoredCredential(vault: Pick<Vault, 'remove'>, owner: CredentialOwner, upstream: string): Promise<boolean> {
  return vault.remove({ kind: providerKind, owner: ownerText(owner), name: upstream })
}

function storedInfo({ id, owner, name, created, changed }: SecretInfo): StoredInfo {
  return { id, owner, upstream: name, created, changed }
}
