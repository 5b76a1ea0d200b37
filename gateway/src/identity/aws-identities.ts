/**
 * Keys of AWS that this machine is given instead of being told them: by a profile, a web identity, a container, an instance. They
 * expire, so they are asked for when a call needs them and kept until shortly before they do. AWS's own code asks for them; it is
 * loaded only where such a credential is configured.
 */
import type { AwsCredential, AwsIdentity } from '../core/credential.ts'

/** What AWS's code gives. */
export interface GivenKeys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string | undefined
  readonly expiration?: Date | undefined
}

export type AskForKeys = () => Promise<GivenKeys>

interface Kept {
  readonly ask: Promise<AskForKeys>
  credential: AwsCredential | undefined
  /** Milliseconds since 1970; infinite for keys that do not expire. */
  expires: number
  /** Whoever needs keys meanwhile waits for the same answer. */
  asking: Promise<AwsCredential> | undefined
  /** Nobody asks again before. */
  quietUntil: number
  failure: unknown
}

/** Keys are renewed this long before they expire, and are not used any more this long before they do. */
const renewedMs = 5 * 60_000
const usedUntilMs = 30_000
/** An identity that cannot be had is not asked for by every call. */
const quietMs = 5_000

export class AwsIdentities {
  readonly #askerOf: (identity: AwsIdentity) => Promise<AskForKeys>
  readonly #kept = new Map<string, Kept>()

  constructor(askerOf: (identity: AwsIdentity) => Promise<AskForKeys> = askerFor) {
    this.#askerOf = askerOf
  }

  /** Rejects with what AWS's code says. */
  credential(identity: AwsIdentity, now: number): AwsCredential | Promise<AwsCredential> {
    const kept = this.#keptOf(identity)
    const { credential, expires } = kept
    if (credential !== undefined && now < expires - renewedMs) return credential
    if (kept.asking === undefined && now < kept.quietUntil) {
      if (credential !== undefined && now < expires - usedUntilMs) return credential
      return Promise.reject(kept.failure)
    }
    kept.asking ??= this.#ask(kept, now)
    // Old keys are good for a while yet, whatever becomes of the new ones.
    return credential !== undefined && now < expires - usedUntilMs ? kept.asking.catch(() => credential) : kept.asking
  }

  #keptOf(identity: AwsIdentity): Kept {
    const name = JSON.stringify(identity)
    let kept = this.#kept.get(name)
    if (kept === undefined) {
      const ask = this.#askerOf(identity)
      // Whoever asks is told.
      ask.catch(() => {})
      kept = { ask, credential: undefined, expires: 0, asking: undefined, quietUntil: 0, failure: undefined }
      this.#kept.set(name, kept)
    }
    return kept
  }

  async #ask(kept: Kept, now: number): Promise<AwsCredential> {
    try {
      const { accessKeyId, secretAccessKey, sessionToken, expiration } = await (await kept.ask)()
      kept.credential = { kind: 'aws', accessKeyId, secretAccessKey, sessionToken }
      kept.expires = expiration?.getTime() ?? Infinity
      return kept.credential
    } catch (error) {
      kept.failure = error
      kept.quietUntil = now + quietMs
      throw error
    } finally {
      kept.asking = undefined
    }
  }
}

/** A machine that is none of AWS's must not make a call wait for long. */
const remote = { timeout: 2_000, maxRetries: 1 }

async function askerFor(identity: AwsIdentity): Promise<AskForKeys> {
  const { createCredentialChain, fromEnv, fromHttp, fromIni, fromInstanceMetadata, fromTokenFile } =
    await import('@aws-sdk/credential-providers')
  switch (identity.from) {
    case 'profile':
      return fromIni({ profile: identity.profile })
    case 'web-identity':
      return fromTokenFile()
    case 'container':
      return fromHttp(remote)
    case 'instance':
      return fromInstanceMetadata(remote)
    case 'auto':
      return createCredentialChain(fromEnv(), fromTokenFile(), fromHttp(remote), fromInstanceMetadata(remote))
  }
}
