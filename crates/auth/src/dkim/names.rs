//! Names of header fields, numbered.

use std::collections::HashMap;

/// Up to how many names are looked through one by one.
const FEW: usize = 64;

/// The distinct names of a list, numbered in the order in which they first come, whatever their case.
#[derive(Clone, Debug)]
pub(crate) struct Names<T> {
    names: Vec<T>,
    /// From names in lower case, once there are many.
    numbers: HashMap<Vec<u8>, usize>,
}

impl<T: AsRef<[u8]>> Names<T> {
    pub(super) fn new() -> Self {
        Self {
            names: Vec::new(),
            numbers: HashMap::new(),
        }
    }

    /// The number of a name; a new one gets the next.
    pub(super) fn add(&mut self, name: T) -> usize {
        if let Some(number) = self.number(name.as_ref()) {
            return number;
        }
        let number = self.names.len();
        self.names.push(name);
        if number == FEW {
            let all = self.names.iter().enumerate();
            self.numbers = all.map(|(number, name)| (lower(name), number)).collect();
        } else if number > FEW {
            self.numbers.extend(self.names.last().map(|name| (lower(name), number)));
        }
        number
    }

    pub(super) fn number(&self, name: &[u8]) -> Option<usize> {
        if self.names.len() > FEW {
            return self.numbers.get(&name.to_ascii_lowercase()).copied();
        }
        self.names
            .iter()
            .position(|known| known.as_ref().eq_ignore_ascii_case(name))
    }

    pub(super) fn len(&self) -> usize {
        self.names.len()
    }
}

impl<T: AsRef<[u8]>> FromIterator<T> for Names<T> {
    fn from_iter<I: IntoIterator<Item = T>>(list: I) -> Self {
        let mut names = Self::new();
        for name in list {
            names.add(name);
        }
        names
    }
}

fn lower(name: &impl AsRef<[u8]>) -> Vec<u8> {
    name.as_ref().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_and_many() {
        let mut names = Names::new();
        for round in 0..2 {
            for number in 0..3 * FEW {
                let name = if round == 0 {
                    format!("X-{number}")
                } else {
                    format!("x-{number}")
                };
                assert_eq!(names.add(name), number);
            }
        }
        assert_eq!(names.len(), 3 * FEW);
        assert_eq!((names.number(b"x-150"), names.number(b"other")), (Some(150), None));
    }
}
