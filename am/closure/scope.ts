/**
 * Finds what a function uses of its surroundings, by the scoping rules of strict
 * ECMAScript 2026 (https://tc39.es/ecma262/#sec-syntax-directed-operations-scope-analysis).
 *
 * Every scope collects its names on entry, hence a reference is decided where it stands. A name
 * that declares is visited like one that refers: it resolves to the scope it was collected in.
 *
 * @module
 */

import type { AnyNode, ClassBody, FunctionNode, Pattern } from "./parser.ts";

/** What a function uses that does not travel with its source. */
export interface ClosureUses {
  /** Free variables in the order of their first use. */
  variables: Set<string>;
  /** Those of `this`, `super`, `new.target` and `import.meta` that come from outside. */
  contexts: Set<string>;
  /** Whether `arguments` of a function around it is used. */
  outerArguments: boolean;
  /** Private names, with their `#`, of classes around it. */
  privateNames: Set<string>;
  /** Literal specifiers of dynamic imports. */
  imports: Set<string>;
  /** Whether the specifier of a dynamic import is computed. */
  computedImport: boolean;
}

/** One level of names; the two flags are handed down until a function or class sets them. */
class Scope {
  readonly names: Set<string> = new Set();
  readonly parent: Scope | undefined;
  /** Whether `this`, `super` and `new.target` belong to something inside the closure. */
  readonly ownsThis: boolean;
  /** Whether `arguments` belongs to the closure or to something inside it. */
  readonly ownsArguments: boolean;

  constructor(parent: Scope | undefined, ownsThis: boolean, ownsArguments: boolean) {
    this.parent = parent;
    this.ownsThis = ownsThis;
    this.ownsArguments = ownsArguments;
  }

  child(ownsThis = this.ownsThis, ownsArguments = this.ownsArguments): Scope {
    return new Scope(this, ownsThis, ownsArguments);
  }

  has(name: string): boolean {
    return this.names.has(name) || (this.parent?.has(name) ?? false);
  }
}

/**
 * Walks over a function and notes all that it takes from outside.
 *
 * @param node The function, as the parser gave it.
 * @returns Its free variables and the rest that its source does not carry.
 */
export function findClosureUses(node: FunctionNode): ClosureUses {
  const walk = new Walk();
  const root = new Scope(undefined, false, false);
  const isArrow = node.type === "ArrowFunctionExpression";
  // The receiver of a closure is not sent: its own `this` counts as from outside.
  walk.function(node, root.child(false, !isArrow));
  return walk.uses;
}

class Walk {
  readonly uses: ClosureUses = {
    variables: new Set(),
    contexts: new Set(),
    outerArguments: false,
    privateNames: new Set(),
    imports: new Set(),
    computedImport: false,
  };

  /** Visits the parameters and the body in `scope`, which has the function's own flags. */
  function(node: FunctionNode, scope: Scope): void {
    if (node.type === "FunctionExpression" && node.id) scope.names.add(node.id.name);
    for (const param of node.params) addPatternNames(param, scope.names);
    for (const param of node.params) this.visit(param, scope);
    if (node.body.type !== "BlockStatement") return this.visit(node.body, scope);
    // Only now, since the defaults of parameters do not see the variables of the body.
    addVarNames(node.body, scope.names);
    this.statements(node.body.body, scope);
  }

  statements(nodes: readonly AnyNode[], scope: Scope): void {
    for (const node of nodes) addLexicalNames(node, scope.names);
    for (const node of nodes) this.visit(node, scope);
  }

  visit(node: AnyNode, scope: Scope): void {
    switch (node.type) {
      case "Identifier":
        return this.reference(node.name, scope);
      case "ThisExpression":
        return this.context("this", scope);
      case "Super":
        return this.context("super", scope);
      case "MetaProperty":
        if (node.meta.name === "new") return this.context("new.target", scope);
        this.uses.contexts.add("import.meta");
        return;
      case "PrivateIdentifier":
        if (!scope.has(`#${node.name}`)) this.uses.privateNames.add(`#${node.name}`);
        return;
      case "ImportExpression":
        return this.import(node, scope);
      case "UnaryExpression":
        // `typeof name` never throws: it asks whether the name exists where the closure runs.
        if (node.operator === "typeof" && node.argument.type === "Identifier") return;
        return this.visit(node.argument, scope);
      case "MemberExpression":
        this.visit(node.object, scope);
        if (node.computed || node.property.type === "PrivateIdentifier") {
          this.visit(node.property, scope);
        }
        return;
      case "Property":
        if (node.computed) this.visit(node.key, scope);
        return this.visit(node.value, scope);
      case "LabeledStatement":
        return this.visit(node.body, scope);
      case "BreakStatement":
      case "ContinueStatement":
        return;
      case "ArrowFunctionExpression":
        return this.function(node, scope.child());
      case "FunctionDeclaration":
      case "FunctionExpression":
        return this.function(node, scope.child(true, true));
      case "ClassDeclaration":
      case "ClassExpression": {
        const inner = scope.child();
        if (node.id) inner.names.add(node.id.name);
        if (node.superClass) this.visit(node.superClass, inner);
        return this.classBody(node.body, inner);
      }
      case "BlockStatement":
        return this.statements(node.body, scope.child());
      case "SwitchStatement":
        this.visit(node.discriminant, scope);
        return this.switchCases(node.cases, scope.child());
      case "ForStatement":
      case "ForInStatement":
      case "ForOfStatement": {
        const inner = scope.child();
        const head = node.type === "ForStatement" ? node.init : node.left;
        if (head) addLexicalNames(head, inner.names);
        return this.children(node, inner);
      }
      case "CatchClause": {
        const inner = scope.child();
        if (node.param) addPatternNames(node.param, inner.names);
        return this.children(node, inner);
      }
      default:
        return this.children(node, scope);
    }
  }

  children(node: AnyNode, scope: Scope): void {
    for (const child of childrenOf(node)) this.visit(child, scope);
  }

  reference(name: string, scope: Scope): void {
    if (name === "arguments") {
      if (!scope.ownsArguments) this.uses.outerArguments = true;
    } else if (!scope.has(name)) {
      this.uses.variables.add(name);
    }
  }

  context(name: string, scope: Scope): void {
    if (!scope.ownsThis) this.uses.contexts.add(name);
  }

  import(node: Extract<AnyNode, { type: "ImportExpression" }>, scope: Scope): void {
    const { source, options } = node;
    if (source.type === "Literal" && typeof source.value === "string") {
      this.uses.imports.add(source.value);
    } else if (source.type === "TemplateLiteral" && source.expressions.length === 0) {
      this.uses.imports.add(source.quasis[0]?.value.cooked ?? "");
    } else {
      this.uses.computedImport = true;
      this.visit(source, scope);
    }
    if (options) this.visit(options, scope);
  }

  switchCases(cases: Extract<AnyNode, { type: "SwitchCase" }>[], scope: Scope): void {
    for (const node of cases) {
      for (const statement of node.consequent) addLexicalNames(statement, scope.names);
    }
    for (const node of cases) this.children(node, scope);
  }

  classBody(body: ClassBody, scope: Scope): void {
    for (const member of body.body) {
      if (member.type !== "StaticBlock" && member.key.type === "PrivateIdentifier") {
        scope.names.add(`#${member.key.name}`);
      }
    }
    for (const member of body.body) {
      if (member.type === "StaticBlock") {
        const inner = scope.child(true);
        addVarNames(member, inner.names);
        this.statements(member.body, inner);
        continue;
      }
      // A computed key is evaluated around the class, a field's value inside it.
      if (member.computed) this.visit(member.key, scope);
      if (member.value) this.visit(member.value, scope.child(true));
    }
  }
}

/** Adds the names a pattern binds: not its defaults, not its keys. */
function addPatternNames(pattern: Pattern, names: Set<string>): void {
  switch (pattern.type) {
    case "Identifier":
      names.add(pattern.name);
      return;
    case "ObjectPattern":
      for (const property of pattern.properties) {
        addPatternNames(property.type === "RestElement" ? property : property.value, names);
      }
      return;
    case "ArrayPattern":
      for (const element of pattern.elements) if (element) addPatternNames(element, names);
      return;
    case "RestElement":
      return addPatternNames(pattern.argument, names);
    case "AssignmentPattern":
      return addPatternNames(pattern.left, names);
    case "MemberExpression":
      return; // Only in an assignment, which binds nothing.
  }
}

/** Adds what a statement declares in its own block: `let`, `const`, `using`, functions, classes. */
function addLexicalNames(node: AnyNode, names: Set<string>): void {
  if (node.type === "VariableDeclaration" && node.kind !== "var") {
    for (const declarator of node.declarations) addPatternNames(declarator.id, names);
  } else if (node.type === "FunctionDeclaration" || node.type === "ClassDeclaration") {
    if (node.id) names.add(node.id.name);
  }
}

/** Adds the `var` names of a function's body at any depth, but not those of nested functions. */
function addVarNames(node: AnyNode, names: Set<string>): void {
  if (node.type === "VariableDeclaration" && node.kind === "var") {
    for (const declarator of node.declarations) addPatternNames(declarator.id, names);
  }
  for (const child of childrenOf(node)) {
    if (!VAR_BOUNDARIES.has(child.type)) addVarNames(child, names);
  }
}

const VAR_BOUNDARIES: ReadonlySet<string> = new Set([
  "ArrowFunctionExpression",
  "FunctionDeclaration",
  "FunctionExpression",
  "ClassDeclaration",
  "ClassExpression",
]);

/** The nodes directly below `node`, in source order. */
function* childrenOf(node: AnyNode): Generator<AnyNode> {
  for (const value of Object.values(node)) {
    if (Array.isArray(value)) {
      for (const item of value) if (isNode(item)) yield item;
    } else if (isNode(value)) {
      yield value;
    }
  }
}

function isNode(value: unknown): value is AnyNode {
  return typeof (value as { type?: unknown } | null | undefined)?.type === "string";
}
