/** Invariant 2: the tools a principal is shown are exactly those it can call now. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { TurnwardError } from '../core/error.ts'
import type { McpContext } from '../tools/operations.ts'
import { configOf, keys, openFloors, type ConfigInput, type Floors } from './floors.fixture.ts'

const names = ['read_web', 'read_personnel', 'backup', 'migrate', 'publish', 'undescribed']
const tools = Object.fromEntries(names.map((name) => [`office__${name}`, {}]))
const own = (name: string): string => `office__${name}`

const readers = fc.constantFrom('@staff', 'bob', 'corp.example', '$principal', 'public')
const contract = fc.record({
  output: fc.record({
    trust: fc.constantFrom('untrusted', 'trusted'),
    audience: fc.option(fc.uniqueArray(readers, { minLength: 1, maxLength: 2 }), { nil: undefined }),
  }),
  effects: fc.subarray(['backup', 'migration']),
  requires: fc.record({
    trust: fc.option(fc.constantFrom('untrusted', 'trusted'), { nil: undefined }),
    audience: fc.option(
      fc.record({ includes: fc.uniqueArray(fc.constantFrom('@staff', 'bob', '$principal'), { minLength: 1, maxLength: 2 }) }),
      { nil: undefined },
    ),
    done: fc.subarray(['backup'], { maxLength: 1 }),
    not_done: fc.subarray(['migration'], { maxLength: 1 }),
  }),
})

const scenario = fc.record({
  posture: fc.constantFrom('strict' as const, 'standard' as const, 'observe' as const),
  contracts: fc.tuple(...names.slice(0, -1).map(() => contract)),
  granted: fc.subarray(names, { minLength: 1 }),
  offered: fc.subarray(names, { minLength: 1 }),
  forbidden: fc.subarray(names, { maxLength: 2 }),
  /** What the key may use at most. */
  within: fc.option(fc.subarray(names, { minLength: 3 }), { nil: undefined }),
  /** A rule about a tool, which hides it like anything else that does not ask for arguments. */
  ruled: fc.option(fc.constantFrom(...names), { nil: undefined }),
  before: fc.array(fc.constantFrom(...names), { maxLength: 3 }),
})

function configFor({
  posture,
  contracts,
  granted,
  offered,
  forbidden,
  within,
  ruled,
}: typeof scenario extends fc.Arbitrary<infer T> ? T : never): ConfigInput {
  return configOf({
    policy: { posture },
    grants: [
      { principals: ['alice'], gateways: ['main'], tools: granted.map(own) },
      { groups: ['staff'], forbid: { tools: forbidden.map(own) } },
    ],
    keys: {
      'alice-key': { principal: 'alice', secret: keys.alice, ...(within === undefined ? {} : { grants: { tools: within.map(own) } }) },
    },
    gateways: { main: { servers: ['office'], tools: offered.map(own) } },
    contracts: Object.fromEntries(contracts.map((one, index) => [own(names[index] ?? ''), JSON.parse(JSON.stringify(one))])),
    rules:
      ruled === undefined
        ? []
        : [
            {
              name: 'ruled',
              when: `tool.name == '${own(ruled)}' && session.trust == 'untrusted'`,
              verdict: 'deny',
              reason: 'Not after that.',
            },
          ],
  })
}

const shown = async (floors: Floors, context: McpContext): Promise<string[]> =>
  (await floors.operations.listTools(context)).tools.map((tool) => String(tool.name))

/** Whether the call reached its server. A refusal by policy is a result; a tool that is not there is an error. */
async function ranOn(floors: Floors, context: McpContext, name: string): Promise<boolean> {
  const before = floors.ran.length
  try {
    const result = await floors.call(context, own(name))
    const refused = result.isError === true
    expect(floors.ran.length - before).toBe(refused ? 0 : 1)
    return !refused
  } catch (error) {
    expect((error as TurnwardError).code).toBe('grant.tool')
    expect(floors.ran.length).toBe(before)
    return false
  }
}

test('whatever the contracts, the grants and what was read: listed is callable, and not listed is not', async () => {
  await fc.assert(
    fc.asyncProperty(scenario, async (chosen) => {
      await using floors = await openFloors({ config: configFor(chosen), tools })
      // Every tool is tried on a connection of its own that has the same past, because trying one changes the label.
      for (const [index, name] of names.entries()) {
        const context = await floors.context(keys.alice, `client-${index}`)
        for (const earlier of chosen.before) await ranOn(floors, context, earlier)
        const listed = (await shown(floors, context)).includes(own(name))
        expect({ name, callable: await ranOn(floors, context, name) }).toEqual({ name, callable: listed })
      }
    }),
    { numRuns: 60 },
  )
})

test('a key that may do less is shown less in the same conversation, whichever asks first', async () => {
  const narrow = 'tw_invariants_narrow_000000000'
  const config = configOf({
    keys: {
      'alice-key': { principal: 'alice', secret: keys.alice },
      narrow: { principal: 'alice', secret: narrow, grants: { tools: ['office__publish'] } },
    },
  })
  await using floors = await openFloors({ config, tools: { office__publish: {}, office__backup: {} } })
  for (const [key, listed] of [
    [keys.alice, ['office__backup', 'office__publish']],
    [narrow, ['office__publish']],
    [keys.alice, ['office__backup', 'office__publish']],
  ] as const)
    expect(await shown(floors, await floors.context(key, 'one'))).toEqual(listed)
  expect(await ranOn(floors, await floors.context(narrow, 'one'), 'backup')).toBe(false)
})

test('a list is computed anew as soon as the label or the effects change', async () => {
  const config = configOf({
    contracts: {
      office__read_web: { output: { trust: 'untrusted' } },
      office__publish: { output: { trust: 'trusted' }, requires: { trust: 'trusted' } },
      office__backup: { output: { trust: 'trusted' }, effects: ['backup'], requires: { not_done: ['backup'] } },
    },
  })
  await using floors = await openFloors({ config, tools: { office__read_web: {}, office__publish: {}, office__backup: {} } })
  const context = await floors.context(keys.alice, 'one')
  expect(await shown(floors, context)).toEqual(['office__backup', 'office__publish', 'office__read_web'])
  await floors.call(context, 'office__backup')
  expect(await shown(floors, context)).toEqual(['office__publish', 'office__read_web'])
  await floors.call(context, 'office__read_web')
  expect(await shown(floors, context)).toEqual(['office__read_web'])
})

test('with `hide: never` what is refused is listed, and what is not granted still does not exist', async () => {
  const config = configOf({
    policy: { tools: { hide: 'never' } },
    grants: [{ principals: ['alice'], gateways: ['main'], tools: ['office__publish'] }],
    contracts: { office__publish: { requires: { done: ['review'] } } },
  })
  await using floors = await openFloors({ config, tools: { office__publish: {}, office__backup: {} } })
  const context = await floors.context(keys.alice, 'one')
  expect(await shown(floors, context)).toEqual(['office__publish'])
  expect(await ranOn(floors, context, 'publish')).toBe(false)
})

test('an ungranted tool, an unknown one, an ungranted gateway and an unknown one answer alike', async () => {
  const config = configOf({
    grants: [{ principals: ['alice'], gateways: ['main'], tools: ['office__publish'] }],
    gateways: { main: { servers: ['office'] }, other: { servers: ['office'] } },
  })
  await using floors = await openFloors({ config, tools: { office__publish: {}, office__backup: {} } })
  const failure = async (gateway: string, name: string): Promise<unknown> => {
    const error = (await floors
      .call(await floors.context(keys.alice, 'one', gateway), name)
      .catch((thrown: unknown) => thrown)) as TurnwardError
    return { ...error.toJSON(), message: error.message.replaceAll(name, 'X').replaceAll(gateway, 'G'), subject: undefined }
  }
  expect(await failure('main', 'office__backup')).toEqual(await failure('main', 'office__nothing'))
  expect(await failure('other', 'office__publish')).toEqual(await failure('nowhere', 'office__publish'))
  await expect(floors.operations.listTools(await floors.context(keys.alice, 'one', 'other'))).rejects.toMatchObject({
    code: 'grant.gateway',
  })
  expect(floors.ran).toEqual([])
})
