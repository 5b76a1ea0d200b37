/** Faults of configuration and telemetry: secrets shown, half-swapped snapshots. */
import type { Mutant } from '../mutant.ts'

const masking = 'gateway/src/config/masking.ts'
const scrubbing = 'gateway/src/telemetry/scrubbing.ts'
const maskingTests = ['gateway/src/config/masking.test.ts', 'gateway/src/config/golden.test.ts']
const logTests = ['gateway/src/telemetry/logger.test.ts', 'gateway/src/telemetry/scrubbing.mutants.test.ts']

export const configFaults: readonly Mutant[] = [
  {
    name: 'secret-is-shown-in-a-problem',
    file: masking,
    find: 'return hideOwnValue(line.slice(0, maxShown), path)',
    replace: 'return (path.length < 0 ? hideOwnValue(line, path) : line.slice(0, maxShown))',
    tests: maskingTests,
  },
  { name: 'token-is-shown-in-a-problem', file: masking, find: '    .replace(tokenShape, mask)\n', replace: '', tests: maskingTests },
  {
    name: 'secret-value-is-shown-in-a-problem',
    file: masking,
    find: '    .replace(secretValue, `$1${mask}`)\n',
    replace: '',
    tests: maskingTests,
  },
  {
    name: 'log-is-not-scrubbed-by-value',
    file: scrubbing,
    find: 'const clean = input.replace(secretValue, redacted)',
    replace: "const clean = input.replace(secretValue, '$&')",
    tests: logTests,
  },
  {
    name: 'log-is-not-scrubbed-by-name',
    file: scrubbing,
    find: 'isSecretField(name) && !isHarmless(item) ? redacted',
    replace: "isSecretField(name) && item === '' ? redacted",
    tests: logTests,
  },
  {
    name: 'log-is-cut-before-it-is-scrubbed',
    file: scrubbing,
    find: 'text.length > 4 * maxString ? text.slice(0, 4 * maxString) : text',
    replace: 'text.slice(0, maxString)',
    tests: logTests,
  },
  {
    name: 'revision-ignores-secrets',
    file: 'gateway/src/config/revision.ts',
    find: '({ secret: sha256(credential.secret) })',
    replace: '({ secret: sha256(typeof credential.secret) })',
    tests: ['gateway/src/invariants/10-', 'gateway/src/config/'],
  },
  {
    name: 'bad-edit-takes-effect',
    file: 'gateway/src/config/watch.ts',
    find: 'this.#problem = text\n      return false',
    replace:
      'this.#problem = text\n      this.#current = Object.freeze({ ...previous, revision: `${previous.revision}x` })\n      return false',
    tests: ['gateway/src/config/watch.test.ts'],
  },
]
