/** The source files that faults are put into, each as its words and its named places: functions, methods, constants, classes. */
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { parseAst } from 'rolldown/parseAst'
import { tokensOf, type Token } from './tokens.ts'

export interface Source {
  /** Relative to the root of the checkout. */
  readonly file: string
  readonly text: string
  readonly tokens: readonly Token[]
  readonly places: readonly Place[]
}

/** `readHead`, `Pool`, `Pool.#next`, `handlers.get`: what a file declares, and what that has as members. */
export interface Place {
  readonly path: string
  readonly start: number
  readonly end: number
}

type Statement = ReturnType<typeof parseAst>['body'][number]
type Expression = Extract<Statement, { type: 'ExpressionStatement' }>['expression']
type ClassNode = Extract<Statement, { type: 'ClassDeclaration' | 'ClassExpression' }>
type PropertyKey = Extract<Extract<Expression, { type: 'ObjectExpression' }>['properties'][number], { type: 'Property' }>['key']

const roots = ['contract/src', 'gateway/src']

/** Every source file of the product. Tests and what only tests use have no faults put into them. */
export function readSources(checkout: string): readonly Source[] {
  const files = roots.flatMap((root) =>
    readdirSync(join(checkout, root), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !/\.(?:test|fixture|d)\.ts$/.test(file))
      .map((file) => `${root}/${file}`),
  )
  return files.toSorted().map((file) => sourceOf(file, readFileSync(join(checkout, file), 'utf8')))
}

export function sourceOf(file: string, text: string): Source {
  const places = parseAst(text, { lang: 'ts' }, file).body.flatMap((statement) => placesOf(statement))
  return { file, text, tokens: tokensOf(text), places }
}

function placesOf(statement: Statement): readonly Place[] {
  const { start, end } = statement
  switch (statement.type) {
    case 'ExportNamedDeclaration':
      return statement.declaration === null ? [] : placesOf(statement.declaration)
    case 'FunctionDeclaration':
      return statement.id === null ? [] : [{ path: statement.id.name, start, end }]
    case 'ClassDeclaration':
      return statement.id === null ? [] : [{ path: statement.id.name, start, end }, ...membersOf(statement.id.name, statement)]
    case 'VariableDeclaration':
      return statement.declarations.flatMap(({ id, init, end: itsEnd }) =>
        id.type !== 'Identifier' ? [] : [{ path: id.name, start, end: itsEnd }, ...(init === null ? [] : propertiesOf(id.name, init))],
      )
    default:
      return []
  }
}

function membersOf(owner: string, { body }: ClassNode): readonly Place[] {
  return body.body.flatMap((member) => {
    if (member.type !== 'MethodDefinition' && member.type !== 'PropertyDefinition') return []
    const name = nameOf(member.key)
    return name === undefined ? [] : [{ path: `${owner}.${name}`, start: member.start, end: member.end }]
  })
}

function propertiesOf(owner: string, value: Expression): readonly Place[] {
  if (value.type === 'TSSatisfiesExpression' || value.type === 'TSAsExpression') return propertiesOf(owner, value.expression)
  if (value.type !== 'ObjectExpression') return []
  return value.properties.flatMap((property) => {
    const name = property.type === 'Property' ? nameOf(property.key) : undefined
    if (property.type !== 'Property' || name === undefined) return []
    const path = `${owner}.${name}`
    return [{ path, start: property.start, end: property.end }, ...propertiesOf(path, property.value)]
  })
}

function nameOf(key: PropertyKey): string | undefined {
  if (key.type === 'Identifier') return key.name
  if (key.type === 'PrivateIdentifier') return `#${key.name}`
  return key.type === 'Literal' && typeof key.value === 'string' ? key.value : undefined
}
