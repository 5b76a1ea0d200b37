/** Noninterference at length: see `turns/provenance/noninterference.fixture.ts` for what is claimed, and what it needs. */
import { test } from 'vitest'
import { answersAlone } from '../turns/quarantine/answers-noninterference.fixture.ts'
import { samePermittedCalls, sameVerdicts } from '../turns/provenance/noninterference.fixture.ts'

test('a verdict is the same whatever the untrusted words are', () => sameVerdicts(20_000))

test('a plan whose values are taken from untrusted words makes the same permitted calls, whatever they are', () =>
  samePermittedCalls(10_000))

test('withheld words change which of the declared answers is given, and no verdict', () => answersAlone(10_000))
