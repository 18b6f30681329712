// Migrations and assets are imported as text (`with { type: 'text' }`), on Bun, compiled, and on Deno.
declare module '*.sql' {
  const text: string;
  export default text;
}
