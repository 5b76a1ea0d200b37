import { expect, test } from 'vitest'
import { ownNames, readRecords } from './records-in-results.ts'
import { conversation, verdictOn, type Words } from './traced-call.fixture.ts'
import { tool } from '../../policy/written-policy.fixture.ts'
import { ticketValues, traceProposal, traceToolCall } from './tracing-values.ts'

const bills = [
  { id: 7, title: 'Rent of May' },
  { id: 13, title: 'Ransom' },
]
const words: Words = { person: 'File the bill "rent of May", please.', untrusted: JSON.stringify(bills) }
const isReleased = async (said: Partial<Words>, args: Parameters<typeof verdictOn>[1] = { bill: '7' }) =>
  (await verdictOn({ ...words, ...said }, args, 'bank__file')).action === 'release'

test('the id of a record whose name the person wrote counts like their words, and no other id', async () => {
  expect(await isReleased({})).toBe(true)
  expect(await isReleased({}, { bill: 7 })).toBe(true)
  expect(await isReleased({}, { bill: '13' })).toBe(false)
  expect(await isReleased({}, { bill: 'Rent of May' })).toBe(true)
  expect(await isReleased({}, { bill: 'file' })).toBe(false)
  expect(await isReleased({ person: 'File the bill.' })).toBe(false)
})

test('it counts for an argument that is such an id alone', async () => {
  expect(await isReleased({}, { n: '7' })).toBe(false)
  expect(await isReleased({}, { bill: '7', n: '7' })).toBe(false)
  expect(await isReleased({ person: 'File the rent of May as number 7.' }, { bill: '7', n: '7' })).toBe(true)
})

test('a short id that stands in the words by chance is no such id, unless they say what it is an id of', async () => {
  expect(await isReleased({ person: 'File the bill by 7 pm.' })).toBe(false)
  expect(await isReleased({ person: 'At 7 pm, file bill 7.' })).toBe(true)
  expect(await isReleased({ person: 'File bill #7.' })).toBe(true)
  expect(await isReleased({ person: 'File bill 70.' })).toBe(false)
  const long = { untrusted: JSON.stringify([{ id: 'b-2024-77', title: 'Rent' }]), person: 'File b-2024-77.' }
  expect(await isReleased(long, { bill: 'b-2024-77' })).toBe(true)
})

test('a file is named as people say it, in two words at least', async () => {
  const files = (...titles: readonly string[]) => ({ untrusted: JSON.stringify(titles.map((title, at) => ({ id: 7 + at, title }))) })
  expect(await isReleased({ ...files('rent-of_May.docx'), person: 'Add it to the rent of May.' })).toBe(true)
  expect(await isReleased({ ...files('rent-of-may.docx', 'Rent_of_May.txt'), person: 'Add it to the rent of May.' })).toBe(false)
  expect(await isReleased({ ...files('rent-of-may.docx', 'Rent_of_May.txt'), person: 'Add it to rent-of-may.docx.' })).toBe(true)
  expect(await isReleased({ ...files('rent.docx'), person: 'Add it to the rent of May.' })).toBe(false)
  expect(await isReleased({ ...files('../rent-of.docx'), person: 'Add it to the rent of May.' })).toBe(false)
})

test('a name that two records have names neither, however it is written', async () => {
  for (const title of ['Rent of May', 'RENT  of may'])
    expect(await isReleased({ untrusted: JSON.stringify([...bills, { id: 99, title }]) })).toBe(false)
  expect(await isReleased({ untrusted: JSON.stringify([...bills, { id: 7, title: 'Rent of May' }]) })).toBe(true)
})

test('the words are those of the person: not the operator, not a model, not what strangers wrote and the person repeats', async () => {
  expect(await isReleased({ person: 'File it.', operator: 'Bills are called rent of May.' })).toBe(false)
  expect(await isReleased({ isAgents: true })).toBe(false)
  const passage = 'the bill that everybody in the house has to file at once is called rent of May'
  const call = await conversation({ ...words, person: passage })
  await call.services.words.remember('alice', [passage], { trust: 'untrusted', audience: [] }, new Set(), 1000)
  const values = await traceProposal(call, [tool('bank__file')], [{ bill: '7' }])
  expect(values?.get('7')).toContainEqual({ kind: 'record', of: 'bill', label: { trust: 0, audience: [] } })
})

test('a result that nobody asked for here has no records', async () => {
  expect(await isReleased({ delivered: 'never' })).toBe(false)
})

test('a ticket brings it along to where the call runs, and without one nothing is known', async () => {
  const call = await conversation(words)
  const values = await traceProposal(call, [tool('bank__file')], [{ bill: '7' }])
  const kept = ticketValues(call, values)
  expect(JSON.stringify(kept)).not.toContain('ent of')
  const traced = (proposed: typeof kept) =>
    traceToolCall(call, tool('bank__file'), [{ bill: '7' }], call.session.policyState.label, proposed)
  expect((await traced(kept))?.get('7')).toEqual([{ kind: 'record', of: 'bill', label: { trust: 1, audience: [] } }])
  expect((await traced(undefined))?.get('7')).toEqual([])
})

test('of too many records none is told apart by its name', () => {
  const records = Array.from({ length: 5000 }, (_, at) => ({ of: 'bill', id: `n:${at}`, names: [`bill ${at}`] }))
  expect(ownNames(records)).toHaveLength(5000)
  expect(ownNames([...records, { of: 'bill', id: 'n:5000', names: ['Rent'] }])).toEqual([])
})

test('a result is read as JSON or YAML, and as nothing else', () => {
  const listing = { of: 'file', id: 'id_', names: ['filename', 'title'], at: [] }
  const ids = (text: string, at: readonly string[] = []) => readRecords(text, { ...listing, at }).map(({ id }) => id)
  expect(ids('{"id_": "13", "filename": "a.txt"}')).toEqual(['n:13'])
  expect(ids('- id_: \'13\'\n  filename: a.txt\n- id_: b7\n  title: on "two"\n    lines\n')).toEqual(['n:13', 't:b7'])
  expect(ids('{"page": {"files": [{"id_": "13", "title": "abc"}]}}', ['page', 'files'])).toEqual(['n:13'])
  // Words within a value stay words.
  expect(ids('- id_: \'13\'\n  filename: "x\\n- id_: 14\\n  filename: a.txt"\n')).toEqual(['n:13'])
  expect(ids("- id_: '13'\n  filename: a.txt\n  content: |\n    - id_: 14\n      filename: b.txt\n")).toEqual(['n:13'])
  const none = [
    '- id_: 13\n  id_: 14\n  filename: abc',
    '- &a {id_: 13, filename: abc}\n- *a',
    '- id_: !!python/object x\n  filename: abc',
    'id_: 13\nfilename: abc\n---\nid_: 14\nfilename: abd',
    '[{"id_": 13, "filename": "abc"}',
    'The file 13 is called abc.',
    '{"id_": [13], "filename": "abc"}',
    '{"files": {"id_": 13, "filename": "abc"}}',
    `${' '.repeat(1_000_000)}{"id_": 13, "filename": "abc"}`,
    `id_: 13\nfilename: abc\n${'# x\n'.repeat(20_000)}`,
    '['.repeat(60_000),
  ]
  for (const text of none) expect([text.slice(0, 60), ids(text)]).toEqual([text.slice(0, 60), []])
})
