//! What is seen in each language, and that nothing breaks the outline.

use std::path::Path;

use daemon::convert::OUTLINED;

use super::outline;

/// Definitions as `first line-last line name`, each indented by what it is in.
fn outlined(name: &str, text: &str) -> Vec<String> {
    let mut around: Vec<usize> = Vec::new();
    let line = |at: usize| text[..at].matches('\n').count() + 1;
    let definitions = outline(Path::new(name), text).unwrap().into_iter();
    definitions
        .map(|definition| {
            let (start, end) = (definition.bytes.start, definition.bytes.end);
            while around.pop_if(|end| *end <= start).is_some() {}
            let indent = "  ".repeat(around.len());
            around.push(end);
            format!("{indent}{}-{} {}", line(start), line(end), definition.name)
        })
        .collect()
}

#[track_caller]
fn check(name: &str, text: &str, expected: &[&str]) {
    assert_eq!(outlined(name, text), expected, "{name}:\n{text}");
}

#[test]
fn rust_python_and_ruby() {
    check(
        "a.rs",
        "use a::b;\n\n/// Doc.\n#[derive(Debug)]\npub struct Lamp(u8);\n\n// Apart.\n\nimpl<T> Light<T>\n    \
         for Lamp {\n    /// Lit.\n    fn lit(&self) -> bool {\n        true\n    }\n\n    fn out() {} // now\n}\n\n\
         #[cfg(test)]\nmod tests {\n    fn f() {}\n}\nmod other;\n",
        &[
            "3-5 struct Lamp",
            "9-17 impl<T> Light<T> for Lamp",
            "  11-14 fn lit",
            "  16-16 fn out",
            "19-22 mod tests",
            "  21-21 fn f",
        ],
    );
    check(
        "a.py",
        "import os\n\n# About.\n@cache\ndef lit(a,\n        b):\n    return 1\n\nclass Lamp(Light):\n    x = 1\n\n    \
         async def on(self):\n        def inner():\n            pass\n\nif True:\n    def off(): pass\n",
        &[
            "3-7 def lit",
            "9-14 class Lamp(Light)",
            "  12-14 def on",
            "    13-14 def inner",
            "17-17 def off",
        ],
    );
    check(
        "a.rb",
        "module M\n  # Doc.\n  class Lamp < Light\n    def self.make(x)\n      1\n    end\n\n    def lit?\n    end\n  end\nend\n",
        &["1-11 module M", "  2-10 class Lamp", "    4-6 def self.make", "    8-9 def lit?"],
    );
}

#[test]
fn scripts_and_types() {
    let text = "import x from 'y';\n\n/** Doc. */\nexport default class Lamp extends Light {\n  lit() {\n    return 1;\n  \
                }\n  off = () => 2;\n}\n\nexport const on = async (a) => {\n  function inner() {}\n};\nconst a = () => 1, \
                b = () => 2;\nmodule.exports.f = function () {};\nfunction* g() {}\nconst plain = 3;\n";
    let expected = [
        "3-9 class Lamp",
        "  5-7 lit",
        "  8-8 off",
        "11-13 on",
        "  12-12 function inner",
        "14-14 a",
        "14-14 b",
        "15-15 module.exports.f",
        "16-16 function* g",
    ];
    for name in ["a.js", "a.jsx", "a.mjs", "a.ts", "a.tsx"] {
        check(name, text, &expected);
    }
    let typed = "export interface Lamp {\n  lit: boolean;\n}\nenum Colour { Red }\nabstract class A {\n  private x(): \
                 void {}\n}\nnamespace N {\n  export type T = string;\n}\n";
    let expected = [
        "1-3 interface Lamp",
        "4-4 enum Colour",
        "5-7 class A",
        "  6-6 x",
        "8-10 namespace N",
        "  9-9 type T",
    ];
    check("a.ts", typed, &expected);
    check("a.tsx", typed, &expected);
    check("a.tsx", "function App() {\n  return <b>x</b>;\n}\n", &["1-3 function App"]);
}

#[test]
fn c_go_java_and_shell() {
    check(
        "a.h",
        "#ifndef A\n#define A\n/* Doc. */\nstruct lamp {\n  int lit;\n};\ntypedef struct { int a; } box;\nstruct lamp \
         *make(int a);\nstatic inline int *lit(struct lamp *l)\n{\n  return 0;\n}\n#endif\n",
        &["3-6 struct lamp", "7-7 typedef box", "9-12 lit"],
    );
    check("a.c", "int main(int c, char **v) {\n  return 0;\n}\n", &["1-3 main"]);
    check(
        "a.cc",
        "namespace n {\ntemplate <class T>\nclass Lamp : Light {\n public:\n  T &lit() { return t; }\n  ~Lamp() {}\n};\n}\n\
         int& Lamp::off(int a) {\n  return a;\n}\nextern \"C\" {\nvoid f() {}\n}\n",
        &[
            "1-8 namespace n",
            "  2-7 class Lamp",
            "    5-5 lit",
            "    6-6 ~Lamp",
            "9-11 Lamp::off",
            "13-13 f",
        ],
    );
    check(
        "a.go",
        "package a\n\n// Lamp is lit.\ntype Lamp struct {\n\tLit bool\n}\n\n// On.\nfunc (l *Lamp) On(a int) error {\n\treturn \
         nil\n}\n\nfunc main() {}\n",
        &["3-6 type Lamp", "8-11 func (l *Lamp) On", "13-13 func main"],
    );
    check(
        "A.java",
        "package a;\n\n/** Doc. */\n@Deprecated\npublic final class A<T> extends B {\n  A() {}\n\n  @Override\n  public int \
         f(int a) {\n    return 1;\n  }\n  enum E { X }\n  record R(int a) {}\n}\n",
        &["3-14 class A", "  6-6 A", "  8-11 f", "  12-12 enum E", "  13-13 record R"],
    );
    let shell = "#!/usr/bin/env bash\n# Doc.\nlit() {\n  echo 1\n}\nfunction off {\n  :\n}\n";
    for name in ["a.sh", "a.bash", "run"] {
        check(name, shell, &["2-5 function lit", "6-8 function off"]);
    }
    check("tool", "#!/usr/bin/python3.11 -u\ndef f(): pass\n", &["2-2 def f"]);
}

#[test]
fn what_is_not_known_has_no_outline_and_what_is_no_code_is_refused() {
    check("a.css", "a { b: c }", &[]);
    check("a", "#!/usr/bin/perl\nsub f {}", &[]);
    check("a.rs", "", &[]);
    let prose = "Dear all,\n\nthis letter (of mine) is none of what {its} name says; it is long.\n"
        .repeat(9);
    assert!(outline(Path::new("a.go"), &prose).is_err());
    for ending in OUTLINED {
        let name = format!("a.{ending}");
        assert!(super::grammar::of(Path::new(&name), "").is_some(), "{name}");
    }
}

#[test]
fn whatever_is_cut_off_the_outline_stays_in_order() {
    let texts = [
        (
            "a.rs",
            "fn a() {} fn b() {} // c\nimpl X { fn c() {} }\nmod m { mod n { fn d() { fn e() {} } } }\n",
        ),
        (
            "a.js",
            "var a = () => 1, b = function () { return { c: () => 2 } }; class D { e() {} }\n",
        ),
        (
            "a.cc",
            "typedef struct a { struct b { int c; } d; } e, *f; class g { void h() {} }; // i\n",
        ),
        ("a.py", "class A:\n  def b(self): pass\n  @c\n  def d(): return 'ä'\n"),
    ];
    for (name, text) in texts {
        for end in (0..=text.len()).filter(|end| text.is_char_boundary(*end)) {
            let cut = &text[..end];
            let Ok(definitions) = outline(Path::new(name), cut) else { continue };
            let (mut last, mut around) = (0, vec![cut.len()]);
            for definition in definitions {
                let bytes = definition.bytes;
                while around.len() > 1 && around.pop_if(|end| *end <= bytes.start).is_some() {}
                assert!(last <= bytes.start && bytes.start < bytes.end, "{cut:?}: {bytes:?}");
                assert!(around.last().is_some_and(|end| bytes.end <= *end), "{cut:?}: {bytes:?}");
                last = bytes.start;
                around.push(bytes.end);
            }
        }
    }
}

#[test]
fn macros_that_no_grammar_knows_do_not_lose_the_functions() {
    let text = "#define BEGIN {\nBEGIN(x) }}} {\nint lit(int a)\n{\n  return a + 1;\n}\n\nint off(int b)\n{\n  return b - 1;\n}\n";
    check("a.c", text, &["3-6 lit", "8-11 off"]);
}
