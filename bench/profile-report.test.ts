import { describe, expect, test } from 'vitest'
import { costsOf, type CpuProfile } from './profile-report.ts'

const frame = (functionName: string, url = '', lineNumber = 0) => ({ functionName, url, lineNumber })
const profile: CpuProfile = {
  nodes: [
    { id: 1, callFrame: frame('(root)'), children: [2, 5] },
    { id: 2, callFrame: frame('outer', 'file:///somewhere/gateway/src/turns/model-call.ts', 9), children: [3] },
    { id: 3, callFrame: frame('inner', 'file:///somewhere/node_modules/undici/lib/core.js', 4), children: [4] },
    { id: 4, callFrame: frame('inner', 'file:///somewhere/node_modules/undici/lib/core.js', 4) },
    { id: 5, callFrame: frame('(idle)') },
  ],
  samples: [2, 3, 4, 5],
  timeDeltas: [100, 200, 100, 1000],
}

describe('costs of a profile', () => {
  test('idle time is not busy, and recursion counts once', () => {
    const { busyMicros, inclusive } = costsOf(profile)
    expect(busyMicros).toBe(400)
    expect(inclusive.find(({ where }) => where.startsWith('inner'))?.share).toBe(0.75)
    expect(inclusive.find(({ where }) => where.startsWith('outer'))?.share).toBe(1)
  })

  test('places are named without the machine they were found on', () => {
    expect(costsOf(profile).own.map(({ where }) => where)).toEqual([
      'inner undici/lib/core.js:5',
      'outer gateway/src/turns/model-call.ts:10',
    ])
  })

  test('what was sampled while starting up is left out', () => {
    expect(costsOf(profile, 200).busyMicros).toBe(300)
  })
})
