/** Faults of identity: keys that live on, credentials of somebody else. */
import type { Mutant } from '../mutant.ts'

const authenticate = 'gateway/src/identity/authenticate.ts'
const credentials = 'gateway/src/identity/credentials.ts'
const authenticateTests = ['gateway/src/identity/authenticate.test.ts']
const credentialTests = ['gateway/src/identity/credentials.test.ts']

export const identityFaults: readonly Mutant[] = [
  {
    name: 'expired-key-is-accepted',
    file: authenticate,
    find: 'clock.now() >= key.expires',
    replace: 'clock.now() < 0',
    tests: authenticateTests,
  },
  {
    name: 'revoked-key-is-accepted',
    file: authenticate,
    find: 'if (key.revoked !== undefined && key.revoked !== null)',
    replace: 'if (key.revoked === 0)',
    tests: authenticateTests,
  },
  {
    name: 'revoked-key-is-cached-forever',
    file: 'gateway/src/identity/stored-key-cache.ts',
    find: 'const rememberMs = 1000',
    replace: 'const rememberMs = 1e15',
    tests: authenticateTests,
  },
  {
    name: 'shared-secret-picks-a-key',
    file: 'gateway/src/identity/configured-keys.ts',
    find: 'keys.has(digest) ? null : key',
    replace: 'key',
    tests: authenticateTests,
  },
  {
    name: 'two-credentials-pick-one',
    file: 'gateway/src/identity/presented-key.ts',
    find: 'if (other !== undefined && (strange ||',
    replace: 'if (other === null && (strange ||',
    tests: ['gateway/src/identity/presented-key.test.ts'],
  },
  {
    name: 'key-credential-is-not-first',
    file: credentials,
    find: '    caller.credentials.get(upstreamName) ??\n',
    replace: '',
    tests: credentialTests,
  },
  {
    name: 'unknown-credential-falls-back',
    file: credentials,
    find: 'const credential = snapshot.credentials.get(id)',
    replace: "const credential = snapshot.credentials.get(id) ?? snapshot.credentials.get(upstream.config.credential ?? '')",
    tests: credentialTests,
  },
  {
    name: 'caller-outlives-its-snapshot',
    file: authenticate,
    find: 'callers.set(snapshot, known)',
    replace: 'callers.get = () => known',
    tests: authenticateTests,
  },
]
