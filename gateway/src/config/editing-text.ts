/**
 * Changes one entry of a configuration file and leaves every other byte as its author wrote it: comments, order, blank lines.
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
