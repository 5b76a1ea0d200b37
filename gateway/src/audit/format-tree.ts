/** A turn as text for a terminal. Names come from clients and servers, so control characters never get through. */
import type { LabelGain, ModelCallStep, ProposalStep, TokenCountStep, ToolCallStep, TurnStep, TurnTree } from '@turnward/contract/api/turns'
import type { LabelRecord } from '@turnward/contract/decision'

interface Node {
  readonly text: string
  readonly children: readonly Node[]
}

/** The tree of a turn in Unicode lines, ending in a line break. */
export function formatTurnTree(tree: TurnTree): string {
  const who = tree.actor === null ? (tree.principal ?? 'nobody') : `${tree.principal ?? 'nobody'} via ${tree.actor}`
  const lines = [`${tree.turn ?? 'no turn'}  ${who}`]
  if (tree.session !== null) lines.push(`session ${tree.session}${tree.key === null ? '' : `  key ${tree.key}`}`)
  if (tree.started !== null)
    lines.push(`${new Date(tree.started).toISOString()}  ${duration((tree.ended ?? tree.started) - tree.started)}  ${summary(tree)}`)
  const nodes = timeline(tree)
  if (tree.label !== null) nodes.push({ text: `label now  ${labelText(tree.label)}`, children: [] })
  drawChildren(nodes, '', lines)
  return `${lines.map(printable).join('\n')}\n`
}

function timeline(tree: TurnTree): Node[] {
  const timed = [
    ...tree.modelCalls.map((call) => ({ time: call.time, node: modelCallNode(call) })),
    ...tree.tokenCounts.map((count) => ({ time: count.time, node: tokenCountNode(count) })),
    ...tree.otherCalls.map((call) => ({ time: call.time, node: 'ran' in call ? proposalNode(call) : toolCallNode(call, 'tool call') })),
    ...tree.labels.map((gain) => ({ time: gain.time, node: labelNode(gain) })),
  ]
  return timed.sort((one, other) => one.time - other.time).map(({ node }) => node)
}

function modelCallNode(call: ModelCallStep): Node {
  const target = call.upstream === null ? call.subject : `${call.subject} → ${call.upstream}`
  const children = [...refusalNodes(call)]
  if (call.routing !== undefined) children.push({ text: routingText(call.routing), children: [] })
  for (const race of call.hedged ?? []) children.push({ text: hedgedText(race), children: [] })
  if (call.hidden.length > 0) children.push({ text: `hidden  ${call.hidden.join(', ')}`, children: [] })
  children.push(...call.proposals.map(proposalNode))
  return {
    text: join(
      'model call',
      target,
      status(call),
      ending(call),
      credential(call),
      call.client === undefined ? '' : `from ${call.client}`,
      ofAgent(call),
    ),
    children,
  }
}

function routingText({ balance, why, attempt, passedOver = [] }: NonNullable<ModelCallStep['routing']>): string {
  const others = passedOver.map(({ upstream, why: trouble }) => `${upstream} is passed over (${trouble})`)
  return `routed  ${[`${balance}: ${why}`, ...(attempt > 1 ? [`asked as number ${attempt}`] : []), ...others].join('; ')}`
}

function hedgedText({ asked, won }: NonNullable<ModelCallStep['hedged']>[number]): string {
  return `asked at once  ${asked.join(', ')}: ${won === null ? 'nobody began to answer' : `${won} began first`}`
}

function tokenCountNode(count: TokenCountStep): Node {
  const target = count.upstream === null ? count.subject : `${count.subject} → ${count.upstream}`
  return { text: join('token count', target, status(count), ending(count), credential(count)), children: [...refusalNodes(count)] }
}

function proposalNode(proposal: ProposalStep): Node {
  const ran = proposal.ran.map((call) => toolCallNode(call, 'ran'))
  return {
    text: join(
      'proposed',
      proposal.subject,
      proposal.calledAs === undefined ? '' : `called ${proposal.calledAs}`,
      status(proposal),
      ending(proposal),
    ),
    children: [...refusalNodes(proposal), ...ran],
  }
}

function toolCallNode(call: ToolCallStep, verb: string): Node {
  const ticket = call.ticket === undefined || call.ticket === 'not_needed' ? '' : `ticket ${call.ticket}`
  const gateway = call.gateway === null ? '' : `at ${call.gateway}`
  return {
    text: join(verb, call.subject, gateway, status(call), ending(call), credential(call), ticket),
    children: [...refusalNodes(call)],
  }
}

function ofAgent({ agent }: TurnStep): string {
  return agent === undefined ? '' : `sub-agent ${agent}`
}

function labelNode(gain: LabelGain): Node {
  return { text: `label  ${gain.subject}: ${labelText(gain.before)} → ${labelText(gain.after)}`, children: [] }
}

/** Why a call was refused (or would have been) and what would help. */
function* refusalNodes(step: TurnStep): Generator<Node> {
  if (step.shadow !== undefined)
    yield { text: `draft  ${step.shadow.action}: ${step.shadow.reason} (${step.shadow.rules.join(', ')})`, children: [] }
  if (step.verdict === 'allow' && step.action === 'release') return
  yield { text: `why  ${step.reason}`, children: [] }
  for (const gap of step.gaps) yield { text: `missing  ${gap.kind}: ${gap.detail} (${gap.source})`, children: [] }
  if (step.rules.length > 0) yield { text: `decided by  ${step.rules.join(', ')}`, children: [] }
  for (const remedy of step.remedies) yield { text: `remedy  ${remedy.kind}: ${remedy.detail}`, children: [] }
}

const statuses = {
  refuse: '✗ refused',
  answer: '✓ answered by the gateway',
  hold: '… waits for a person',
  observe: '! would be refused',
  hide: '✗ hidden',
} as const

function status(step: TurnStep): string {
  if (step.action === 'release') return step.verdict === 'warn' ? '! released with a warning' : '✓ released'
  return statuses[step.action]
}

function ending(step: TurnStep): string {
  const { outcome, errorCode, latencyMs, usage, cost } = step
  const tokens =
    usage?.inputTokens === undefined && usage?.outputTokens === undefined
      ? ''
      : `${usage.inputTokens ?? '?'} → ${usage.outputTokens ?? '?'} tokens`
  return join(outcome ?? '', errorCode ?? '', latencyMs === undefined ? '' : duration(latencyMs), tokens, money(cost))
}

function money(cost: TurnStep['cost']): string {
  if (cost === undefined) return ''
  const unpriced = cost.unpriced === undefined ? '' : ' + unpriced'
  return `$${Number(cost.amount.toPrecision(3))}${unpriced}`
}

function credential(step: TurnStep): string {
  return step.credential === null ? '' : `credential ${step.credential}`
}

function summary(tree: TurnTree): string {
  const proposals = tree.modelCalls.reduce((sum, call) => sum + call.proposals.length, 0) + tree.otherCalls.length
  return `${count(tree.modelCalls.length, 'model call')}, ${count(proposals, 'tool call')}, ${tree.refused.length} refused`
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}

function labelText(label: LabelRecord): string {
  const audience = label.audience.length === 0 ? 'public' : label.audience.map((clause) => clause.join(' or ')).join(' and ')
  return `${label.trust}, readable by ${audience === '' ? 'nobody' : audience}`
}

function duration(milliseconds: number): string {
  return milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`
}

function join(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join('  ')
}

function drawChildren(nodes: readonly Node[], indent: string, lines: string[]): void {
  for (const [index, node] of nodes.entries()) {
    const last = index === nodes.length - 1
    lines.push(`${indent}${last ? '└─' : '├─'} ${node.text}`)
    drawChildren(node.children, `${indent}${last ? '   ' : '│  '}`, lines)
  }
}

/** Text from outside for a terminal: control, format and line-separator characters could rewrite what a reader sees. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\u{fffd}')
}
