/**
 * Keys of AWS that this machine is given instead of being told them: by a profile, a web identity, a container, an instance. AWS's
 * own code asks for them; it is loaded only where such a credential is configured.
 */
import type { AwsCredential, AwsIdentity } from '../core/credential.ts'
import { MachineCredentials } from './machine-credentials.ts'

/** What AWS's code gives. */
export interface GivenKeys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string | undefined
  readonly expiration?: Date | undefined
}

export type AskForKeys = () => Promise<GivenKeys>

export class AwsIdentities extends MachineCredentials<AwsIdentity, AwsCredential> {
  constructor(askerOf: (identity: AwsIdentity) => Promise<AskForKeys> = askerFor) {
    super(async (identity) => {
      const ask = await askerOf(identity)
      return async () => {
        const { accessKeyId, secretAccessKey, sessionToken, expiration } = await ask()
        return { credential: { kind: 'aws', accessKeyId, secretAccessKey, sessionToken }, expires: expiration?.getTime() ?? Infinity }
      }
    })
  }
}

/** Whoever gives keys of a role (STS) has one more try, and no longer than this for each. */
const sts = { maxAttempts: 2, requestHandler: { connectionTimeout: 2_000, requestTimeout: 5_000 } }

/** A machine that is none of AWS's must not make a call wait for long. */
const remote = { timeout: 2_000, maxRetries: 1 }

async function askerFor(identity: AwsIdentity): Promise<AskForKeys> {
  const { createCredentialChain, fromEnv, fromHttp, fromIni, fromInstanceMetadata, fromTokenFile } =
    await import('@aws-sdk/credential-providers')
  switch (identity.from) {
    case 'profile':
      return async () => {
        await refuseWhatAsks(identity.profile)
        return fromIni({ profile: identity.profile, clientConfig: sts })()
      }
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

/**
 * A profile, or one that it goes on to, may name a program that prints keys, which this process does not run, or a device whose
 * code only a person can read. Throws naming the profile.
 */
async function refuseWhatAsks(profile: string): Promise<void> {
  const { parseKnownFiles } = await import('@smithy/core/config')
  const profiles = await parseKnownFiles({ profile })
  const seen = new Set<string>()
  for (let name: string | undefined = profile; name !== undefined && !seen.has(name); name = profiles[name]?.source_profile) {
    seen.add(name)
    if (profiles[name]?.credential_process !== undefined)
      throw new Error(`the profile \`${name}\` runs a program (\`credential_process\`), which is not done here`)
    if (profiles[name]?.mfa_serial !== undefined)
      throw new Error(`the profile \`${name}\` wants the code of a device (\`mfa_serial\`), and nobody is here to read it`)
  }
}
