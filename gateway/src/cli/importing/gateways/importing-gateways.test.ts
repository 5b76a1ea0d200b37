/** What becomes of other gateways' files. `vitest --update` renews what was made of each. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { plainValue, type ConfigPath, type LocatedNode, type MapNode } from '../../../config/locate.ts'
import { whyNotTaken } from './draft-text.ts'
import { leavesOf, type Finding } from './findings.ts'
import { gatewayFiles, imported } from './gateway-files.fixture.ts'
import { importerIds, importers } from './importers.ts'
import { parseGatewayFile } from './reading-gateway-file.ts'

const titled = gatewayFiles.map((file) => [`${file.from}/${file.name}`, file] as const)

describe('a file of another gateway', () => {
  test.each(titled)('%s becomes what is written beside it', async (_title, { from, path, text }) => {
    const { text: made, findings, notes, variables } = imported(from, text)
    await expect(made).toMatchFileSnapshot(path.replace(/\.yaml$/, '.made.yaml'))
    const told = {
      findings: findings.map(({ at, line, outcome, to, why }) => `${line} ${at}: ${[outcome, ...to, ...why].join(' | ')}`),
      notes,
      variables: variables.map(
        ({ name, servers, value }) => `${name} for ${servers.join(', ')}${value === undefined ? '' : ', in the file'}`,
      ),
    }
    await expect(stringify(told, { lineWidth: 0 })).toMatchFileSnapshot(path.replace(/\.yaml$/, '.told.yaml'))
  })

  test.each(titled)('%s becomes something that the gateway takes', async (_title, { from, text }) => {
    const { text: made, samples } = imported(from, text)
    expect(await whyNotTaken(made, samples)).toBeUndefined()
  })

  test.each(titled)(
    'no secret of %s is in what was made and told, and each that is used is the value of a variable',
    (_title, { from, text }) => {
      const { text: made, findings, notes, variables } = imported(from, text)
      expect(made).not.toContain('S3CR3T')
      expect(JSON.stringify([findings, notes, variables.map(({ name, about }) => [name, about])])).not.toContain('S3CR3T')
    },
  )

  test.each(titled)('every value of %s is told of once, where it stands', (_title, { from, text }) => {
    const root = parseGatewayFile('theirs.yaml', text)
    const { findings, text: made, config } = imported(from, root)
    expect(findings).toHaveLength([...leavesOf(root, [])].length)
    for (const { at, outcome, to, why } of findings) {
      if (outcome === 'not_carried') expect({ at, to, why: why.length > 0 }).toEqual({ at, to: [], why: true })
      else expect(to.length, at).toBeGreaterThan(0)
      if (outcome === 'changed') expect(why.length, at).toBeGreaterThan(0)
      for (const place of to) expect(isThere(config, place) || made.includes(place) || isIn(root, place), `${at} -> ${place}`).toBe(true)
    }
  })

  // What is said to be carried over and is not would be noticed when it is missing.
  test.each(titled)('what of %s is carried over makes a difference to what is made', (_title, { from, text }) => {
    const root = parseGatewayFile('theirs.yaml', text)
    const before = imported(from, root)
    for (const [index, [path, node]] of [...leavesOf(root, [])].entries()) {
      const finding = before.findings[index]
      if (finding === undefined || finding.outcome === 'not_carried' || node.kind !== 'scalar') continue
      const others = othersThan(node.value).map((value) => imported(from, replaced(root, path, value)))
      expect(
        others.every((after) => isSame(before, after, finding)),
        `${finding.at} of ${finding.line}`,
      ).toBe(false)
    }
  })
})

type Imported = ReturnType<typeof imported>

function isSame(before: Imported, after: Imported, { at }: Finding): boolean {
  const values = ({ variables }: Imported) => JSON.stringify(variables.map(({ name, value }) => [name, value]))
  const told = ({ findings }: Imported) => JSON.stringify(findings.find((finding) => finding.at === at))
  return before.text === after.text && values(before) === values(after) && told(before) === told(after)
}

function othersThan(value: string | number | boolean | null): readonly (string | number | boolean)[] {
  if (typeof value === 'boolean') return [!value]
  return typeof value === 'number' ? [value + 1, value + 1000, value - 1000, value * 2] : [`${value ?? ''}x`]
}

function replaced(node: LocatedNode, [step, ...rest]: ConfigPath, value: string | number | boolean): MapNode {
  return change(
    node,
    [step, ...rest].filter((part) => part !== undefined),
    value,
  ) as MapNode
}

function change(node: LocatedNode, [step, ...rest]: ConfigPath, value: string | number | boolean): LocatedNode {
  if (node.kind === 'map') {
    const entries = new Map(
      [...node.entries].map(([key, entry]) => [key, key === step ? { ...entry, value: change(entry.value, rest, value) } : entry]),
    )
    return { ...node, entries }
  }
  if (node.kind === 'list') return { ...node, items: node.items.map((item, index) => (index === step ? change(item, rest, value) : item)) }
  return { ...node, value }
}

function stepsOf(place: string): readonly (string | number)[] {
  return [...place.matchAll(/\[(\d+)\]|\["([^"]+)"\]|([^.[\]]+)/g)].map(([, index, quoted, name]) =>
    index === undefined ? (quoted ?? name ?? '') : Number(index),
  )
}

function isThere(config: unknown, place: string): boolean {
  // Names may have dots: the longest one that is there counts.
  const walk = (value: unknown, rest: string): boolean => {
    if (rest === '') return true
    if (typeof value !== 'object' || value === null) return false
    const [, index, after = ''] = /^\[(\d+)\]\.?(.*)$/.exec(rest) ?? []
    if (index !== undefined) return Array.isArray(value) && Number(index) < value.length && walk(value[Number(index)], after)
    return Object.entries(value).some(
      ([key, inner]) =>
        rest.startsWith(key) && /^(?:$|[.[])/.test(rest.slice(key.length)) && walk(inner, rest.slice(key.length).replace(/^\./, '')),
    )
  }
  return walk(config, place)
}

function isIn(root: MapNode, place: string): boolean {
  return (
    stepsOf(place).reduce<unknown>(
      (value, step) => (typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[String(step)] : undefined),
      plainValue(root),
    ) !== undefined
  )
}

describe('whatever a file holds', () => {
  const word = fc.oneof(
    fc.string({ maxLength: 12 }),
    fc.constantFrom(
      'openai/gpt-4o',
      'azure/x',
      '*',
      'os.environ/A_B',
      '$',
      '${A}',
      '{vault://env/a}',
      '${{ env "DECK_A" }}',
      '$ENV://A',
      '60s',
      '30d',
      '-1',
      '0',
      'https://a.example/v1',
      'http://u:p@h/',
      'none',
      'sticky',
      '../x',
      'a\nb',
    ),
  )
  const value = fc.oneof(
    word,
    fc.integer(),
    fc.double(),
    fc.boolean(),
    fc.constant(null),
    fc.array(word, { maxLength: 3 }),
    fc.dictionary(fc.stringMatching(/^[a-z]{1,9}$/), word, { maxKeys: 3 }),
  )

  test('it is told of as a whole, and what is made of it is taken', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...titled),
        fc.array(fc.tuple(fc.nat(), value), { minLength: 1, maxLength: 6 }),
        async ([, { from, text }], changes) => {
          let root = parseGatewayFile('theirs.yaml', text)
          for (const [at, other] of changes) {
            const places = placesIn(root, [])
            const path = places[at % places.length] ?? []
            root = withNode(root, path, parseGatewayFile('other.yaml', JSON.stringify({ other })).entries.get('other')?.value) as MapNode
          }
          const { findings, text: made, samples } = imported(from, root)
          expect(findings).toHaveLength([...leavesOf(root, [])].length)
          expect(await whyNotTaken(made, samples)).toBeUndefined()
        },
      ),
      { numRuns: 200 },
    )
  })

  test('a secret in the place of any value is in nothing that is made or told', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...titled),
        fc.nat(),
        fc.stringMatching(/^sk-[A-Za-z0-9]{8}S3cr3t[A-Za-z0-9]{12}$/),
        ([, { from, text }], at, secret) => {
          const root = parseGatewayFile('theirs.yaml', text)
          const places = [...leavesOf(root, [])].map(([path]) => path).filter((path) => !isName(path))
          const { findings, notes, text: made } = imported(from, replaced(root, places[at % places.length] ?? [], secret))
          expect(`${made}${JSON.stringify([findings, notes])}`).not.toContain(secret)
        },
      ),
      { numRuns: 200 },
    )
  })
})

/** Values that are names of models, routes, people and things, which the configuration has to write down. */
function isName(path: ConfigPath): boolean {
  const key = path.findLast((step) => typeof step === 'string')
  return /^(?:model|model_name|model_alias|azure_deployment_id|deployment_id|name|guardrail_name|username|group|allow|deny|values|consumer|route|service|id|whitelist|blacklist|group_id|service_id|plugin_config_id|fallbacks|default_fallbacks|gpt-4|gpt-4o|openai-gpt-4o)$/.test(
    String(key),
  )
}

function placesIn(node: LocatedNode, path: ConfigPath): ConfigPath[] {
  const inner =
    node.kind === 'map'
      ? [...node.entries].map(([key, { value }]) => [key, value] as const)
      : node.kind === 'list'
        ? [...node.items.entries()]
        : []
  return inner.flatMap(([step, value]) => [[...path, step], ...placesIn(value, [...path, step])])
}

function withNode(node: LocatedNode, [step, ...rest]: ConfigPath, other: LocatedNode | undefined): LocatedNode {
  if (other === undefined) return node
  if (step === undefined) return other
  if (node.kind === 'map')
    return {
      ...node,
      entries: new Map(
        [...node.entries].map(([key, entry]) => [key, key === step ? { ...entry, value: withNode(entry.value, rest, other) } : entry]),
      ),
    }
  if (node.kind === 'list')
    return { ...node, items: node.items.map((item, index) => (index === step ? withNode(item, rest, other) : item)) }
  return other
}

test('what looks like a reference of ours in their file is none', () => {
  const { config, samples, text } = imported(
    'litellm',
    'model_list: [{ model_name: "a${HOME}", litellm_params: { model: "openai/b${PATH}", extra_headers: { x: "${USER}" } } }]',
  )
  expect(JSON.stringify(config)).toContain('a$${HOME}')
  expect(JSON.stringify(config)).toContain('b$${PATH}')
  expect(Object.keys(samples.environment(text)).toSorted()).toEqual(['OPENAI_API_KEY', 'OPENAI_X'])
})

describe('a file that is not read', () => {
  test('an alias that stands for ever more is refused', () => {
    const bomb = [
      'a0: &a0 [x, x, x, x, x, x, x, x, x]',
      ...Array.from({ length: 9 }, (_, n) => `a${n + 1}: &a${n + 1} [${`*a${n}, `.repeat(8)}*a${n}]`),
    ].join('\n')
    expect(() => parseGatewayFile('theirs.yaml', bomb)).toThrow(/more than \d+ (?:values|aliases)/)
  })

  test.each([
    ['a list', '- a'],
    ['nothing', ''],
    ['two documents', 'a: 1\n---\nb: 2'],
    ['a name twice', 'a: 1\na: 2'],
    ['too deep', `a: ${'['.repeat(80)}${']'.repeat(80)}`],
    ['a tag', 'a: !!python/object:os.system x'],
    ['no YAML', 'a: "S3CR3T'],
  ])('%s is refused, and not quoted', (_what, text) => {
    expect(() => parseGatewayFile('theirs.yaml', text)).toThrow(/theirs\.yaml/)
    try {
      parseGatewayFile('theirs.yaml', text)
    } catch (error) {
      expect(String(error)).not.toContain('S3CR3T')
    }
  })
})

test.each(importerIds)('the page shows what becomes of a file of %s', (from) => {
  const page = readFileSync(join(import.meta.dirname, '../../../../../docs/import-gateways.md'), 'utf8')
  const section = page.split(/^## /m).find((part) => part.startsWith(`From ${importers[from].title}\n`)) ?? ''
  const [theirs, ours] = ['yml', 'yaml'].map(
    (language) => new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(section)?.[1] ?? '',
  )
  expect(imported(from, theirs ?? '').text.replace(/^(?:#.*\n)+\n/, '')).toBe(ours)
})

test('there are files of every gateway', () => {
  for (const from of importerIds) expect(gatewayFiles.some((file) => file.from === from)).toBe(true)
})
