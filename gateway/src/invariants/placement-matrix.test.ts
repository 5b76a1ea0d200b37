/**
 * Wherever a stranger can write, and however it is set: what the model reads of it is untrusted, and nothing that needs trust
 * happens after it. The same cases are run with nothing enforced, so that each of them is shown to be an attack.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { attacks, settings } from './placement-attacks.fixture.ts'
import { openPlacements, type Lane, type PlacementGateway } from './placement-gateway.fixture.ts'
import { places } from './placement-server.fixture.ts'

const lanes: readonly Lane[] = [
  { posture: 'standard', stream: false, era: 'modern' },
  { posture: 'standard', stream: true, era: 'legacy' },
  { posture: 'observe', stream: false, era: 'legacy' },
  { posture: 'observe', stream: true, era: 'modern' },
]

const kinds = Object.keys(attacks)
const cases = places.flatMap((place) => Object.keys(settings).map((setting) => ({ place, setting })))
const nameOf = (place: string, setting: string, attack: string): string =>
  `case-${place}-${setting}-${attack}`.replaceAll(/\W/g, '-').toLowerCase()
const names = cases.flatMap(({ place, setting }) => kinds.map((attack) => nameOf(place, setting, attack)))

describe.each(lanes)('$posture, streamed: $stream, $era', (lane) => {
  let gateway: PlacementGateway
  beforeAll(async () => {
    gateway = await openPlacements(lane, names)
  })
  afterAll(() => gateway?.[Symbol.asyncDispose]())

  // All of them once; in the other lanes one or two show that it is the same there, and that the cases are attacks.
  const tried = lane.posture === 'observe' ? kinds.slice(0, 1) : lane.stream ? kinds.slice(-2) : kinds
  test.each(cases)('$setting words in: $place', async ({ place, setting }) => {
    for (const attack of tried) {
      const pieces = settings[setting]?.(attacks[attack] ?? '') ?? []
      const outcome = await gateway.run(nameOf(place, setting, attack), place, pieces)
      expect(outcome.wasRead).toBe(true)
      expect(outcome.trust).toBe('untrusted')
      if (lane.posture === 'observe') expect([outcome.acted > 0, new Set(outcome.proposed)]).toEqual([true, new Set(['observe'])])
      else expect([attack, outcome.acted, new Set(outcome.proposed)]).toEqual([attack, 0, new Set(['refuse'])])
    }
  })
})
