import { test } from 'vitest'
import { samePermittedCalls, sameVerdicts } from './noninterference.fixture.ts'

// `invariants/noninterference.test.ts` has more runs of the same.
test('a verdict is the same whatever the untrusted words are', () => sameVerdicts(1000))

test('a plan whose values are taken from untrusted words makes the same permitted calls, whatever they are', () => samePermittedCalls(300))
