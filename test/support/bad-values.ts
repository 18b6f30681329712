// From a JSON schema (as OpenAPI 3.1 has it) to values that it does not accept. Knows what our schemas use; whatever it
// does not know it takes for accepted, so that nothing good is ever held to be bad.

export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly pattern?: string;
}

export interface OpenApiDocument {
  readonly openapi: string;
  readonly components?: { readonly schemas?: Readonly<Record<string, Schema>> };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

export interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema: Schema }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
  readonly responses: Readonly<Record<string, unknown>>;
  readonly security?: readonly unknown[];
}

export class BadValues {
  readonly #document: OpenApiDocument;

  constructor(document: OpenApiDocument) {
    this.#document = document;
  }

  resolve(schema: Schema): Schema {
    const name = schema.$ref?.split('/').at(-1);
    return name === undefined ? schema : this.resolve(this.#document.components?.schemas?.[name] ?? {});
  }

  /** Values of JSON that the schema refuses. */
  ofJson(schema: Schema): unknown[] {
    return candidates(this.#all(schema)).filter((value) => !this.accepts(schema, value));
  }

  /** Texts that the schema refuses as a parameter, where `7` is a number. */
  ofText(schema: Schema): string[] {
    const texts = candidates(this.#all(schema))
      .filter((value) => typeof value === 'string' || typeof value === 'number')
      .map(String)
      .filter((text) => text !== '');
    return [...new Set(texts)].filter((text) => !this.accepts(schema, text) && !this.accepts(schema, Number(text)));
  }

  accepts(unresolved: Schema, value: unknown): boolean {
    const schema = this.resolve(unresolved);
    const options = schema.anyOf ?? schema.oneOf;
    if (options !== undefined && !options.some((option) => this.accepts(option, value))) return false;
    if (schema.allOf !== undefined && !schema.allOf.every((part) => this.accepts(part, value))) return false;
    if (schema.enum !== undefined && !schema.enum.includes(value)) return false;
    if (schema.const !== undefined && schema.const !== value) return false;
    const types = schema.type === undefined ? null : Array.isArray(schema.type) ? schema.type : [schema.type as string];
    if (types !== null && !types.some((type) => isOf(type, value))) return false;
    if (typeof value === 'number') return isInRange(schema, value);
    if (typeof value === 'string') return isFittingText(schema, value);
    if (Array.isArray(value)) return this.#acceptsList(schema, value);
    if (typeof value === 'object' && value !== null)
      return this.#acceptsObject(schema, value as Record<string, unknown>);
    return true;
  }

  #acceptsList(schema: Schema, value: readonly unknown[]): boolean {
    const { minItems = 0, maxItems = Number.POSITIVE_INFINITY, items } = schema;
    if (value.length < minItems || value.length > maxItems) return false;
    return items === undefined || value.every((entry) => this.accepts(items, entry));
  }

  #acceptsObject(schema: Schema, value: Readonly<Record<string, unknown>>): boolean {
    const { properties = {}, required = [], additionalProperties = true } = schema;
    if (required.some((name) => value[name] === undefined)) return false;
    return Object.entries(value).every(([name, entry]) => {
      const known = properties[name];
      if (known !== undefined) return this.accepts(known, entry);
      return typeof additionalProperties === 'boolean'
        ? additionalProperties
        : this.accepts(additionalProperties, entry);
    });
  }

  /** The schema and all its alternatives: their bounds give the interesting values. */
  #all(unresolved: Schema): Schema[] {
    const schema = this.resolve(unresolved);
    return [
      schema,
      ...[schema.anyOf, schema.oneOf, schema.allOf].flatMap((parts) =>
        (parts ?? []).flatMap((part) => this.#all(part)),
      ),
    ];
  }
}

function candidates(schemas: readonly Schema[]): unknown[] {
  const values: unknown[] = ['no such thing', '', -1, 0, 1.5, 1e300, true, null, [], {}, [[]], [{}], [null], { no: 1 }];
  for (const schema of schemas) {
    const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, minLength, maxLength } = schema;
    if (minimum !== undefined) values.push(minimum - 1);
    if (exclusiveMinimum !== undefined) values.push(exclusiveMinimum);
    if (maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER) values.push(maximum + 1);
    if (exclusiveMaximum !== undefined) values.push(exclusiveMaximum);
    if (minLength !== undefined && minLength > 0) values.push('x'.repeat(minLength - 1));
    if (maxLength !== undefined) values.push('x'.repeat(maxLength + 1));
  }
  return values;
}

function isOf(type: string, value: unknown): boolean {
  switch (type) {
    case 'integer':
      return Number.isSafeInteger(value);
    case 'number':
      return typeof value === 'number' && !Number.isNaN(value);
    case 'string':
      return typeof value === 'string';
    case 'boolean':
      return typeof value === 'boolean';
    case 'null':
      return value === null;
    case 'array':
      return Array.isArray(value);
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value);
    default:
      return true;
  }
}

function isInRange(schema: Schema, value: number): boolean {
  return (
    value >= (schema.minimum ?? Number.NEGATIVE_INFINITY) &&
    value <= (schema.maximum ?? Number.POSITIVE_INFINITY) &&
    value > (schema.exclusiveMinimum ?? Number.NEGATIVE_INFINITY) &&
    value < (schema.exclusiveMaximum ?? Number.POSITIVE_INFINITY)
  );
}

function isFittingText(schema: Schema, value: string): boolean {
  if (value.length < (schema.minLength ?? 0) || value.length > (schema.maxLength ?? Number.POSITIVE_INFINITY))
    return false;
  return schema.pattern === undefined || new RegExp(schema.pattern, 'u').test(value);
}
