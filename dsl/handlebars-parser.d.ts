/** The one part of Handlebars that is used: its parser. The package has no types for this path. */
declare module 'handlebars/dist/cjs/handlebars/compiler/base.js' {
  const parser: { parseWithoutProcessing(input: string): { readonly body: readonly unknown[] } }
  export default parser
}
