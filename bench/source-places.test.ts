import { SourceMap } from 'node:module'
import { expect, test } from 'vitest'
import type { CpuProfile } from './profile-report.ts'
import { inSources } from './source-places.ts'

const frame = { functionName: 'route', url: 'file:///somewhere/gateway/dist/gateway-1a2b.js', lineNumber: 0, columnNumber: 4 }
const profile: CpuProfile = { nodes: [{ id: 1, callFrame: frame }], samples: [1], timeDeltas: [100] }
// Column 4 of the only line is line 3 (counted from 0) of the source.
const map = new SourceMap({
  file: '',
  version: 3,
  sources: ['../src/turns/relay.ts'],
  sourcesContent: [''],
  names: [],
  mappings: 'IAGA',
  sourceRoot: '',
})

test('a frame of the build gets its place in the sources', () => {
  expect(inSources(profile, () => map).nodes[0]?.callFrame).toMatchObject({
    functionName: 'route',
    url: 'file:///somewhere/gateway/src/turns/relay.ts',
    lineNumber: 3,
  })
})

test('a frame without a map stays as it is', () => {
  expect(inSources(profile, () => undefined)).toEqual(profile)
  expect(inSources(profile)).toEqual(profile)
})
