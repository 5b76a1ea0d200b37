/** Templates, from the configuration to what requests are filled into. */
import type { Config } from '@turnward/contract/config'
import { closest } from '../core/closest-name.ts'
import type { ReportAt } from './problems.ts'
import type { RouteTemplates, Template, TemplatePiece } from './snapshot.ts'

/** Longest value of a variable that nothing is said of, in characters. */
const usualLongest = 16_000

/** Reports templates that routes name and nobody declared, and variables that stand in no text. */
export function checkTemplates(config: Config, report: ReportAt): void {
  const names = Object.keys(config.templates)
  for (const [index, { templates }] of config.routes.entries()) {
    if (templates === 'required' && names.length === 0)
      report(['routes', index, 'templates'], 'there is none under `templates`: nobody could ask')
    if (!Array.isArray(templates)) continue
    for (const [position, name] of templates.entries())
      if (!Object.hasOwn(config.templates, name))
        report(['routes', index, 'templates', position], `there is no template \`${name}\` under \`templates\``, {
          suggestion: closest(name, names),
        })
  }
  for (const [name, template] of Object.entries(config.templates)) {
    const { messages } = compileTemplate(name, template)
    const used = new Set(messages.flatMap(({ pieces }) => pieces.flatMap((piece) => (typeof piece === 'string' ? [] : [piece.variable]))))
    const isLeft = messages.some(({ pieces }) => pieces.some((piece) => typeof piece === 'string' && piece.includes('{{')))
    if (isLeft) report(['templates', name], 'has a `{{` that no variable follows: models are told it as it is written', { isNotice: true })
    for (const variable of Object.keys(template.variables))
      if (!used.has(variable)) report(['templates', name, 'variables', variable], `no text has \`{{${variable}}}\``)
  }
}

export function compileTemplates(templates: Config['templates']): ReadonlyMap<string, Template> {
  return new Map(Object.entries(templates).map(([name, template]) => [name, compileTemplate(name, template)]))
}

/** What a route says of them; undefined: none can be called. */
export function templatesOf(
  said: Config['routes'][number]['templates'],
  templates: ReadonlyMap<string, Template>,
): RouteTemplates | undefined {
  if (said === undefined) return undefined
  if (said === 'required') return { byName: templates, isRequired: true }
  return { byName: new Map([...templates].filter(([name]) => said.includes(name))), isRequired: false }
}

function compileTemplate(name: string, { messages, text = '', model, variables }: Config['templates'][string]): Template {
  const compiled = (messages ?? [{ role: 'user' as const, text }]).map((message) => ({
    role: message.role,
    pieces: piecesOf(message.text),
  }))
  const named = compiled.flatMap(({ pieces }) => pieces.flatMap((piece) => (typeof piece === 'string' ? [] : [piece.variable])))
  const known = named.map((variable) => {
    const said = Object.hasOwn(variables, variable) ? variables[variable] : undefined
    return [variable, { default: said?.default, longest: said?.longest ?? usualLongest }] as const
  })
  return { name, model, messages: compiled, variables: new Map(known) }
}

function piecesOf(text: string): readonly TemplatePiece[] {
  return text
    .split(/\{\{[ ]{0,8}([A-Za-z_][A-Za-z0-9_]{0,62})[ ]{0,8}\}\}/)
    .map((piece, index) => (index % 2 === 0 ? piece : { variable: piece }))
    .filter((piece) => piece !== '')
}
