/** From the name a client asks with to the upstream, and the name it is asked for there. */
import { configSchema } from '@turnward/contract/config'
import { routeSchema, upstreamSchema } from '@turnward/contract/config/model-floor'
import { describe, expect, test } from 'vitest'
import { compileRoutes } from './route-table.ts'
import type { Upstream } from './snapshot.ts'

const upstream = (name: string, direct: boolean): [string, Upstream] => [
  name,
  { name, config: upstreamSchema.parse({ kind: 'groq', direct }) },
]
const upstreams = new Map([upstream('fast', true), upstream('slow', false)])
const table = compileRoutes(
  [
    { model: 'ours', upstreams: [{ upstream: 'slow', model: 'theirs', weight: 2 }] },
    { model: 'team/*-latest', upstreams: [{ upstream: 'slow', model: 'v2-*', weight: 2 }, 'fast'] },
    { model: 'fast/special', upstreams: ['slow'] },
  ].map((route) => routeSchema.parse(route)),
  upstreams,
  configSchema.parse({}).policy.conditions,
)
const asked = (name: string): unknown => table.resolve(name)?.targets.map(({ upstream: { name: to }, model }) => [to, model])

describe('a name leads', () => {
  test.each([
    ['ours', [['slow', 'theirs']]],
    [
      'team/big-latest',
      [
        ['slow', 'v2-big'],
        ['fast', undefined],
      ],
    ],
    ['fast/llama', [['fast', 'llama']]],
    ['fast:llama/3:b', [['fast', 'llama/3:b']]],
    ['fast/$&$1', [['fast', '$&$1']]],
    ['fast/special', [['slow', undefined]]],
  ])('%s', (name, targets) => {
    expect(asked(name)).toEqual(targets)
  })

  test.each(['slow/llama', 'llama', 'fast', 'team/big', 'x'.repeat(300)])('%s nowhere', (name) => {
    expect(asked(name)).toBeUndefined()
  })
})
