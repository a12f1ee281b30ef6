/** Colors, distances, lines, radii and sizes of type come from tokens.css; the width and height of a part are its own. */
export default {
  ignoreFiles: ['dist/**', 'src/tokens.css'],
  overrides: [{ files: ['**/*.svelte'], customSyntax: 'postcss-html' }],
  rules: {
    'color-no-hex': true,
    'color-named': ['never', { ignore: ['inside-function'] }],
    'function-disallowed-list': [/^(rgb|hsl|hwb|lab|lch|oklab|oklch)a?$/],
    'declaration-property-unit-disallowed-list': {
      '/^(border|outline|margin|padding|gap|row-gap|column-gap|font-size|box-shadow|transition|animation-duration)/': ['px', 'rem', 'pt', 'ms'],
    },
    'block-no-empty': true,
    'declaration-block-no-duplicate-properties': true,
    'declaration-block-no-shorthand-property-overrides': true,
    'no-duplicate-selectors': true,
    'no-invalid-double-slash-comments': true,
    'property-no-unknown': true,
    'unit-no-unknown': true,
  },
};
