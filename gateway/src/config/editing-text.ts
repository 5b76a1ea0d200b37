/**
 * Changes entries of a configuration file and leaves every other byte as its author wrote it: comments, order, blank lines.
 * An edit is made in the text and then read back; one that would mean anything else than what was asked is refused.
 */
import { isDeepStrictEqual } from 'node:util'
import { Document, isMap, isNode, isScalar, isSeq, parseDocument, visit, type Node, type Pair, type YAMLMap, type YAMLSeq } from 'yaml'
import { TurnwardError } from '../core/error.ts'

type Plain = Record<string, unknown>

/** Puts `section.name: value` at the end of the section, which is made when it is missing. Throws `request.invalid` when the name is there. */
export function withEntry(text: string, section: string, name: string, value: object): string {
  const plain = plainOf(text)
  const entries = (plain[section] ?? {}) as Plain
  if (Object.hasOwn(entries, name))
    throw new TurnwardError('request.invalid', { subject: `${section}.${name}`, why: 'it exists', fix: 'Choose another name.' })
  return confirmed(addEntry(text, section, name, value), { ...plain, [section]: { ...entries, [name]: value } }, section)
}

/** Adds an item to the list at a path that is there. */
export function withItem(text: string, path: readonly string[], item: string): string {
  const list = listAt(text, path)
  return confirmed(addItem(text, list.node, item), replaced(plainOf(text), path, [...list.items, item]), path.join('.'))
}

/** Takes `section.name` out, with what stands on its lines. Throws `request.invalid` when it is not there. */
export function withoutEntry(text: string, section: string, name: string): string {
  const plain = plainOf(text)
  const { [name]: _gone, ...rest } = (plain[section] ?? {}) as Plain
  const map: unknown = parse(text).getIn([section], true)
  if (!isMap(map)) throw unsafe(`${section}.${name}`)
  const at = map.items.findIndex(({ key }) => isScalar(key) && key.value === name)
  return confirmed(removeAt(text, map, at, '{}'), { ...plain, [section]: rest }, `${section}.${name}`)
}

/** Takes an item out of the list at a path that is there. */
export function withoutItem(text: string, path: readonly string[], item: string): string {
  const { items } = listAt(text, path)
  const left = items.filter((other) => other !== item)
  // From the end, so that what is before stays where it is.
  const changed = items.reduceRight<string>(
    (edited, other, at) => (other === item ? removeAt(edited, listAt(edited, path).node, at, '[]') : edited),
    text,
  )
  return confirmed(changed, replaced(plainOf(text), path, left), path.join('.'))
}

/** Sets `section.name.key`, in the place of what it was or as the last of its entry. */
export function withValue(text: string, [section, name, key]: readonly [string, string, string], value: unknown): string {
  const entry: unknown = parse(text).getIn([section, name], true)
  if (!isMap(entry)) throw unsafe(`${section}.${name}`)
  const before: unknown = entry.get(key, true)
  const changed = isNode(before) ? replaceNode(text, before, value) : addKey(text, entry, key, value)
  return confirmed(changed, replaced(plainOf(text), [section, name, key], value), `${section}.${name}.${key}`)
}

/** What is written at a path, without its references resolved; undefined when nothing is. */
export function valueAt(text: string, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, step) => (typeof value === 'object' && value !== null && Object.hasOwn(value, step) ? (value as Plain)[step] : undefined),
    plainOf(text),
  )
}

/** Item by item, where both are lists of one length: what did not change stays as it is written. */
function replaceNode(text: string, node: Node, value: unknown): string {
  if (isSeq(node) && Array.isArray(value) && node.items.length === value.length) {
    const items = node.items as Node[]
    return items.reduceRight<string>(
      (edited, item, at) => (isScalar(item) && item.value === value[at] ? edited : replaceNode(edited, item, value[at])),
      text,
    )
  }
  if (isMap(node) && typeof value === 'object' && value !== null && node.items.length === Object.keys(value).length)
    return node.items.reduceRight<string>((edited, { key, value: inner }) => {
      const name = isScalar(key) ? String(key.value) : ''
      if (!Object.hasOwn(value, name) || !isNode(inner)) throw unsafe(name)
      return replaceNode(edited, inner, (value as Plain)[name])
    }, text)
  return text.slice(0, extent(node)[0]) + flow(text, value) + text.slice(endOf(node))
}

function addKey(text: string, entry: YAMLMap, key: string, value: unknown): string {
  if (entry.flow === true || entry.items.length === 0) return intoFlow(text, entry, `${JSON.stringify(key)}: ${flow(text, value)}`)
  const start = startOf(entry.items[0])
  return insertLine(text, endOf(entry), indented(block({ [key]: value }), ' '.repeat(start - lineStart(text, start))))
}

function removeAt(text: string, collection: YAMLMap | YAMLSeq, at: number, empty: string): string {
  const items = collection.items as (Node | Pair)[]
  const item = items[at]
  if (item === undefined) throw unsafe('the entry')
  const [before, after] = [items[at - 1], items[at + 1]]
  if (collection.flow === true) {
    if (before !== undefined) return text.slice(0, endOf(before)) + text.slice(endOf(item))
    return text.slice(0, startOf(item)) + text.slice(after === undefined ? endOf(item) : startOf(after))
  }
  const from = lineStart(text, startOf(item))
  // Only white space, or the dash of a list, stands before it on its line; else its own line is not its own.
  if (!/^[\t ]*(?:-[\t ]+)?$/.test(text.slice(from, startOf(item)))) throw unsafe('the entry')
  const left = items.length === 1 ? `${/^[\t ]*/.exec(text.slice(from))?.[0] ?? ''}${empty}\n` : ''
  return text.slice(0, from) + left + text.slice(nextLine(text, endOf(item)))
}

function addEntry(text: string, section: string, name: string, value: object): string {
  const root = parse(text).contents
  if (root === null) return `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${block({ [section]: { [name]: value } })}`
  if (!isMap(root)) throw unsafe(section)
  const pair = root.items.find(({ key }) => isScalar(key) && key.value === section)
  if (pair === undefined) {
    if (root.flow === true) return intoFlow(text, root, `${JSON.stringify(section)}: ${flow(text, { [name]: value })}`)
    return `${text}${text.endsWith('\n') ? '' : '\n'}\n${block({ [section]: { [name]: value } })}`
  }
  const map = pair.value
  if (isMap(map) && map.flow !== true) {
    const start = startOf(map.items[0])
    return insertLine(text, endOf(map), indented(block({ [name]: value }), ' '.repeat(start - lineStart(text, start))))
  }
  if (isMap(map) && (map.items.length > 0 || root.flow === true))
    return intoFlow(text, map, `${JSON.stringify(name)}: ${flow(text, value)}`)
  // `servers: {}`, or nothing after the colon, becomes a block; a comment on the line stays on it.
  const colon = text.indexOf(':', extent(pair.key as Node)[1]) + 1
  const bare = isMap(map) ? text.slice(0, colon) + text.slice(extent(map)[1]) : text
  return insertLine(bare, colon, indented(block({ [name]: value }), '  '))
}

function addItem(text: string, list: YAMLSeq, item: string): string {
  if (list.flow === true || list.items.length === 0) return intoFlow(text, list, flow(text, item))
  const dash = text.lastIndexOf('-', startOf(list.items.at(-1)))
  return insertLine(text, endOf(list), `${' '.repeat(dash - lineStart(text, dash))}- ${flow(text, item)}\n`)
}

function intoFlow(text: string, collection: YAMLMap | YAMLSeq, entry: string): string {
  const last = collection.items.at(-1)
  const after = last === undefined ? extent(collection)[0] + 1 : endOf(last as Node | Pair)
  return text.slice(0, after) + (last === undefined ? entry : `, ${entry}`) + text.slice(after)
}

function startOf(item: unknown): number {
  return extent((isNode(item) ? item : (item as Pair).key) as Node)[0]
}

/** Where the last thing written in it ends: a block's own range takes in the comments after it. */
function endOf(item: Node | Pair): number {
  if (!isNode(item)) {
    const { key, value } = item
    return isNode(value) && !(isScalar(value) && value.value === null) ? endOf(value) : extent(key as Node)[1]
  }
  const last = (isMap(item) || isSeq(item)) && item.flow !== true ? item.items.at(-1) : undefined
  return last === undefined ? extent(item)[1] : endOf(last as Node | Pair)
}

function extent(node: Node): readonly [number, number] {
  if (node.range == null) throw unsafe('the entry')
  return [node.range[0], node.range[1]]
}

function lineStart(text: string, offset: number): number {
  return text.lastIndexOf('\n', offset - 1) + 1
}

function nextLine(text: string, end: number): number {
  if (text[end - 1] === '\n') return end
  const line = text.indexOf('\n', end)
  return line < 0 ? text.length : line + 1
}

function insertLine(text: string, after: number, lines: string): string {
  const at = nextLine(text, after)
  return `${text.slice(0, at)}${at > 0 && text[at - 1] !== '\n' ? '\n' : ''}${lines}${text.slice(at)}`
}

function indented(lines: string, indent: string): string {
  return lines.replaceAll(/^(?=.)/gm, indent)
}

/** Sections and their entries as they are written here: blocks, with lists on one line. */
export function block(value: object): string {
  const document = new Document(value)
  visit(document, {
    Seq: (_key, list) => {
      list.flow = true
    },
  })
  return document.toString({ lineWidth: 0, flowCollectionPadding: false })
}

/** On one line: JSON where the file is JSON. */
function flow(text: string, value: unknown): string {
  if (text.trimStart().startsWith('{')) return JSON.stringify(value)
  const document = new Document(value)
  visit(document, {
    Collection: (_key, collection) => {
      collection.flow = true
    },
  })
  return document.toString({ lineWidth: 0, flowCollectionPadding: false }).trimEnd()
}

function parse(text: string) {
  const document = parseDocument(text, { prettyErrors: false, stringKeys: true, version: '1.2', merge: false, logLevel: 'error' })
  if (document.errors.length > 0) throw unsafe('the file')
  return document
}

function plainOf(text: string): Plain {
  return (parse(text).toJS() ?? {}) as Plain
}

function listAt(text: string, path: readonly string[]): { readonly node: YAMLSeq; readonly items: readonly unknown[] } {
  const document = parse(text)
  const node: unknown = document.getIn(path, true)
  if (!isSeq(node)) throw unsafe(path.join('.'))
  return { node, items: node.toJS(document) as unknown[] }
}

function replaced(plain: Plain, [step, ...rest]: readonly string[], value: unknown): Plain {
  if (step === undefined) return plain
  return { ...plain, [step]: rest.length === 0 ? value : replaced((plain[step] ?? {}) as Plain, rest, value) }
}

function confirmed(text: string, meant: Plain, subject: string): string {
  if (!isDeepStrictEqual(plainOf(text), meant)) throw unsafe(subject)
  return text
}

function unsafe(subject: string): TurnwardError {
  return new TurnwardError('request.invalid', {
    subject,
    why: 'the configuration file is written in a way that cannot be edited without changing something else',
    fix: 'Run the command with `--dry-run` and put what it shows into the file yourself.',
  })
}
