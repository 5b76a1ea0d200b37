import { test } from 'vitest'
import { answersAlone } from './answers-noninterference.fixture.ts'

// `invariants/noninterference.test.ts` has more runs of the same.
test('withheld words change which of the declared answers is given, and no verdict', () => answersAlone(500))
